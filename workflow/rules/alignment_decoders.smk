"""The alignment study's decoders: word times by cross-attention, and what is written from each layer.

Needs results/alignment/{corpus}/chosen.parquet and Whispers with their decoders; where heads are chosen by
known times, utterances and segments (or aligned). Makes, under results/alignment/{corpus}, word_times of each
model and exits of each model and layer; tables of early exit in results/tables/alignment, a figure of them in
results/figures/alignment; and the part of the calibration that compares word times with known ones.
"""

from workflow.dag import decoders

EXIT_LAYERS = decoders.exit_layers(STUDY.alignment, STUDY.models)

# By known times of other recordings.
CHOOSES_HEADS = bool(STUDY.alignment["word_times"]["heads"]["splits"])

WORD_TIMES = expand(
    "results/alignment/{corpus}/word_times/{model}.parquet",
    corpus=ALIGNMENT_CORPORA,
    model=STUDY.alignment["word_times"]["models"],
)

EXIT_TABLES = {
    "early_exit": "errors by exit layer",
    "exit_examples": "texts layer by layer",
    "exit_published": "early exit, published and measured",
    "decoder_left_out": "recordings that decoders did not take",
}

# What was left out is the same for all layers.
DECODED = [
    (corpus, model, step, f"results/alignment/{corpus}/{name}.parquet")
    for corpus in ALIGNMENT_CORPORA
    for step, models, pattern in (
        (
            "word times",
            STUDY.alignment["word_times"]["models"],
            "word_times/{model}",
        ),
        ("early exit", EXIT_LAYERS, "exits/{model}/layer{layer}"),
    )
    for model in models
    for name in [pattern.format(model=model, layer=max(EXIT_LAYERS.get(model, [0])))]
]

EXIT_RESULTS = WORD_TIMES + expand(
    "results/tables/alignment/{table}.{format}",
    table=EXIT_TABLES if DECODED else [],
    format=["csv", "html"],
)

EXIT_FIGURES = expand(
    "results/figures/alignment/exits/{corpus}.{format}",
    corpus=ALIGNMENT_CORPORA if EXIT_LAYERS else [],
    format=["svg", "png"],
)

RESULTS += EXIT_RESULTS + EXIT_FIGURES


rule time_words:
    input:
        chosen="results/alignment/{corpus}/chosen.parquet",
        model="results/models/{model}.json",
        utterances=(
            over_shards("results/{corpus}/utterances/{shard}.parquet")
            if CHOOSES_HEADS
            else []
        ),
        segments=segments_of if CHOOSES_HEADS else [],
    output:
        "results/alignment/{corpus}/word_times/{model}.parquet",
    log:
        "results/logs/time_words/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/time_words/{corpus}/{model}.tsv"
    conda:
        "../../envs/alignment.yaml"
    threads: 1
    resources:
        **ENCODING_GPU,
        mem_mb=grow(16000),
        runtime=grow(480),
    params:
        *sources("workflow/scripts/time_words.py"),
        model=lambda wildcards: STUDY.model(wildcards.model),
        options=lambda wildcards: settings.canonical(
            decoders.word_times(STUDY.alignment, wildcards.model)
        ),
    script:
        "../scripts/time_words.py"


rule exit_early:
    input:
        chosen="results/alignment/{corpus}/chosen.parquet",
        model="results/models/{model}.json",
    output:
        "results/alignment/{corpus}/exits/{model}/layer{layer}.parquet",
    log:
        "results/logs/exit_early/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/exit_early/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/alignment.yaml"
    threads: 1
    resources:
        **ENCODING_GPU,
        mem_mb=grow(16000),
        runtime=grow(480),
    params:
        *sources("workflow/scripts/exit_early.py"),
        model=lambda wildcards: STUDY.model(wildcards.model),
        options=fixed(settings.canonical(decoders.early_exit(STUDY.alignment))),
    script:
        "../scripts/exit_early.py"


rule summarise_exits:
    input:
        exits=lambda wildcards: expand(
            "results/alignment/{corpus}/exits/{model}/layer{layer}.parquet",
            corpus=wildcards.corpus,
            model=wildcards.model,
            layer=EXIT_LAYERS[wildcards.model],
        ),
    output:
        summary="results/alignment/{corpus}/exits/{model}/summary.csv",
        examples="results/alignment/{corpus}/exits/{model}/examples.csv",
    log:
        "results/logs/summarise_exits/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise_exits/{corpus}/{model}.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/summarise_exits.py"),
        normalisers=STUDY.alignment["early_exit"]["normalisers"],
    script:
        "../scripts/summarise_exits.py"


rule compare_exits:
    input:
        summaries=expand(
            "results/alignment/{corpus}/exits/{model}/summary.csv",
            corpus=ALIGNMENT_CORPORA,
            model=EXIT_LAYERS,
        ),
        examples=expand(
            "results/alignment/{corpus}/exits/{model}/examples.csv",
            corpus=ALIGNMENT_CORPORA,
            model=EXIT_LAYERS,
        ),
        taken=[path for *_, path in DECODED],
        published=shipped("resources/published/alignment_and_tone.csv"),
    output:
        expand("results/tables/alignment/{table}.csv", table=EXIT_TABLES),
    log:
        "results/logs/compare_exits.log",
    benchmark:
        "results/benchmarks/compare_exits.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_exits.py"),
        tables=list(EXIT_TABLES),
        taken=fixed(settings.canonical(DECODED)),
        hub_ids=fixed(
            settings.canonical(
                roles.hub_ids({name: STUDY.models[name] for name in EXIT_LAYERS})
            )
        ),
        papers=fixed(
            settings.canonical(
                {name: STUDY.corpora[name]["paper"] for name in ALIGNMENT_CORPORA}
            )
        ),
    script:
        "../scripts/compare_exits.py"


rule show_exits:
    input:
        tables=expand("results/tables/alignment/{table}.csv", table=EXIT_TABLES),
    output:
        [
            report(
                f"results/tables/alignment/{table}.html",
                caption=f"../report/alignment_{table}.rst",
                category="Tables",
                subcategory="alignment",
                labels={"table": EXIT_TABLES[table]},
            )
            for table in EXIT_TABLES
        ],
    log:
        "results/logs/show_exits.log",
    benchmark:
        "results/benchmarks/show_exits.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/show_tables.py"),
    script:
        "../scripts/show_tables.py"


rule draw_alignment_exits:
    input:
        exits="results/tables/alignment/early_exit.csv",
    output:
        svg=report(
            "results/figures/alignment/exits/{corpus}.svg",
            caption="../report/alignment_exits_figure.rst",
            category="Figures",
            subcategory="alignment",
            labels={"figure": "early exit: {corpus}"},
        ),
        png="results/figures/alignment/exits/{corpus}.png",
    log:
        "results/logs/draw_alignment_exits/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_alignment_exits/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_alignment_exits.py"),
    script:
        "../scripts/draw_alignment_exits.py"
