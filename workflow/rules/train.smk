"""Models that are trained here: one rule per recipe, one job per training of the config.

Needs the utterance and segment tables of the training's corpora and, where it starts from a model, that
model. Makes results/training/{training}: the model as transformers reads it, its card, the log and, beside
it, checkpoints, from which a job that was stopped goes on. `ship_models` copies what config/shipped_models.yaml
trains over resources/models.
"""

TRAINED = expand(
    "results/training/{training}/{file}",
    training=STUDY.training,
    file=[*trainings.LEFT, "loss.svg"],
)

RESULTS += TRAINED


for recipe in ("pretrain", "finetune_ctc", "finetune_classifier", "train_whisper"):

    rule:
        name:
            recipe
        input:
            utterances=training_tables("utterances"),
            segments=training_tables("segments"),
            base=starting_point,
        output:
            expand(
                "results/training/{training}/{file}",
                file=trainings.LEFT,
                allow_missing=True,
            ),
        log:
            "results/logs/train/{training}.log",
        benchmark:
            "results/benchmarks/train/{training}.tsv"
        wildcard_constraints:
            training="|".join(
                name
                for name, training in STUDY.training.items()
                if training["recipe"] == recipe
            )
            or "none",
        conda:
            "../../envs/training.yaml"
        threads: lambda wildcards: STUDY.training[wildcards.training]["threads"]
        resources:
            **gpus(lambda wildcards: STUDY.training[wildcards.training]["gpu"]),
            mem_mb=grow(8000),
            runtime=grow(1440),
            config=" ".join(map(os.path.relpath, CONFIG_FILES)),
            log_every=lambda wildcards: STUDY.training[wildcards.training]["log_every"],
            save_every=lambda wildcards: STUDY.training[wildcards.training][
                "save_every"
            ],
        params:
            *sources(f"workflow/scripts/{recipe}.py"),
            recipe=fixed(recipe),
            options=lambda wildcards: STUDY.trained(wildcards.training),
        script:
            # An f-string would be read when the last recipe has been seen.
            "../scripts/{params.recipe}.py"


rule draw_loss:
    input:
        log="results/training/{training}/training.tsv",
    output:
        svg=report(
            "results/training/{training}/loss.svg",
            caption="../report/loss.rst",
            category="Trainings",
            labels={"training": "{training}"},
        ),
        png="results/training/{training}/loss.png",
    log:
        "results/logs/draw_loss/{training}.log",
    benchmark:
        "results/benchmarks/draw_loss/{training}.tsv"
    wildcard_constraints:
        training="|".join(STUDY.training) or "none",
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(10),
    params:
        *sources("workflow/scripts/draw_loss.py"),
        training=lambda wildcards: wildcards.training,
    script:
        "../scripts/draw_loss.py"


rule ship_models:
    input:
        models=[path for path in TRAINED if not path.endswith(".svg")],
    output:
        "results/training/shipped.txt",
    log:
        "results/logs/ship_models.log",
    benchmark:
        "results/benchmarks/ship_models.tsv"
    localrule: True
    conda:
        "../../envs/encoders.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(10),
    params:
        *sources("workflow/scripts/ship_models.py"),
        shipped=shipped("resources/models"),
    script:
        "../scripts/ship_models.py"
