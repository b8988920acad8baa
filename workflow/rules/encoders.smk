"""Models to hidden states: one job per model and shard writes every layer, from one forward pass.

Needs results/{corpus}/utterances and the model. Makes results/models/{model}.json, which says
exactly what was fetched, and results/{corpus}/embeddings. Which files a job writes depends on the
model's layers, so models with the same layers share a rule: embed_25 is that of models with 25 layers.
"""

# A rule for each model would have Snakemake look for every file among the layers of every model.
BY_LAYERS = {}
for model, layers in STUDY.layers.items():
    every = layers == list(range(len(layers)))
    named = [len(layers)] if every else ["layers", *layers]
    BY_LAYERS.setdefault("_".join(map(str, named)), []).append(model)


rule fetch_model:
    input:
        checkpoint=checkpoint_files,
    output:
        "results/models/{model}.json",
    log:
        "results/logs/fetch_model/{model}.log",
    benchmark:
        "results/benchmarks/fetch_model/{model}.tsv"
    localrule: True
    conda:
        "../../envs/encoders.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(240),
    params:
        *sources("workflow/scripts/fetch_model.py"),
        model=lambda wildcards: STUDY.model(wildcards.model),
    script:
        "../scripts/fetch_model.py"


for named, encoders in BY_LAYERS.items():

    rule:
        name:
            f"embed_{named}"
        input:
            utterances="results/{corpus}/utterances/{shard}.parquet",
            model="results/models/{model}.json",
        output:
            layers=hidden_states(
                expand(
                    "results/{{corpus}}/embeddings/{{model}}/{{shard}}/layer{layer}.parquet",
                    layer=STUDY.layers[encoders[0]],
                )
            ),
            notes="results/{corpus}/notes/embeddings/{model}/{shard}.parquet",
        log:
            "results/logs/embed/{model}/{corpus}/{shard}.log",
        benchmark:
            "results/benchmarks/embed/{model}/{corpus}/{shard}.tsv"
        wildcard_constraints:
            model="|".join(encoders),
        conda:
            "../../envs/encoders.yaml"
        threads: 1
        resources:
            **ENCODING_GPU,
            mem_mb=grow(8000),
            runtime=grow(60, per_hour=180),
            batch_seconds=STUDY.embeddings["batch_seconds"],
        params:
            *sources("workflow/scripts/embed.py"),
            model=lambda wildcards: STUDY.model(wildcards.model),
            options=fixed(STUDY.option("embeddings", settings.EMBED)),
            on_error=lambda wildcards: STUDY.corpora[wildcards.corpus]["on_error"],
        script:
            "../scripts/embed.py"
