"""The articulation study: how well tongue and lips can be read from each layer.

Needs results/{corpus}/utterances, articulation and embeddings. Makes, per model, the scores and
predictions of each layer and the tables E1 to E5, under results/articulation/{corpus}.
"""


rule score:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        scores="results/articulation/{corpus}/scores/{model}/layer{layer}.parquet",
        predictions="results/articulation/{corpus}/predictions/{model}/layer{layer}.parquet",
    log:
        "results/logs/score/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/score/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(3000, per_gb=500),
        runtime=grow(60, per_gb=30),
    params:
        *sources("workflow/scripts/score.py"),
        options=fixed(STUDY.option("articulation", settings.SCORE)),
    script:
        "../scripts/score.py"


rule summarise:
    input:
        scores=over_layers(
            "results/articulation/{corpus}/scores/{model}/layer{layer}.parquet"
        ),
    output:
        expand(
            "results/articulation/{{corpus}}/summary/{{model}}/{table}.csv",
            table=SUMMARIES,
        ),
    log:
        "results/logs/summarise/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise/{corpus}/{model}.tsv"
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/summarise.py"),
    script:
        "../scripts/summarise.py"
