"""Models to hidden states: one job per model and shard writes every layer, from one forward pass.

Needs results/{corpus}/utterances and the model. Makes results/models/{model}.json, which says
exactly what was fetched, and results/{corpus}/embeddings. How many files a job writes depends
on the model, so each model has its own rule.
"""


rule fetch_model:
    input:
        checkpoint=checkpoint_files,
        code=sources("workflow/scripts/fetch_model.py"),
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
        mem_mb=2000,
        runtime=240,
    params:
        model=lambda wildcards: STUDY.model(wildcards.model),
    script:
        "../scripts/fetch_model.py"


for model in STUDY.models:

    rule:
        name:
            f"embed_{model}"
        input:
            utterances="results/{corpus}/utterances/{shard}.parquet",
            model=f"results/models/{model}.json",
            code=sources("workflow/scripts/embed.py"),
        output:
            layers=hidden_states(
                expand(
                    "results/{{corpus}}/embeddings/{model}/{{shard}}/layer{layer}.parquet",
                    model=model,
                    layer=STUDY.layers[model],
                )
            ),
            notes=f"results/{{corpus}}/notes/embeddings/{model}/{{shard}}.parquet",
        log:
            f"results/logs/embed/{model}/{{corpus}}/{{shard}}.log",
        benchmark:
            f"results/benchmarks/embed/{model}/{{corpus}}/{{shard}}.tsv"
        conda:
            "../../envs/encoders.yaml"
        threads: 1
        resources:
            mem_mb=8000,
            runtime=480,
            gpu=STUDY.gpus(model),
            batch_seconds=STUDY.embeddings["batch_seconds"],
        params:
            model=fixed(STUDY.model(model)),
            options=fixed(STUDY.option("embeddings", settings.EMBED)),
            on_error=lambda wildcards: STUDY.corpora[wildcards.corpus]["on_error"],
        script:
            "../scripts/embed.py"
