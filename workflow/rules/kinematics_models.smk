"""Physics against phones, and articulation as a measure of models.

Needs results/{corpus}/utterances, articulation, segments (or aligned) and embeddings, and the articulation
study's tables per model. Makes, under results/kinematics/{corpus}, the variance that phones and each layer
explain and the scores of a phone probe; results/tables/kinematics/partition*.csv and measure*.csv over all
corpora and models; and a figure of each.
"""

from workflow.dag import kinematics_models

PARTITION_CORPORA = STUDY.kinematics["partition"]["corpora"] * bool(KINEMATICS_MODELS)

MEASURE_CORPORA = STUDY.kinematics["measure"]["corpora"]

MEASURE_MODELS = kinematics_models.measured(STUDY.kinematics, STUDY.articulation)

PARTITION_TABLES = {
    "partition": "variance explained by phones and layers",
    "partition_channels": "the same by channel",
    "partition_statements": "physics against phones, in words",
}

MEASURE_TABLES = {
    "measure": "scores here against published scores",
    "measure_models": "articulatory and phone score of each model",
}

# What is shown; each part is only there where it has corpora.
MODEL_TABLES = (PARTITION_TABLES if PARTITION_CORPORA else {}) | (
    MEASURE_TABLES if MEASURE_CORPORA else {}
)

MEASURES = (
    expand(
        "results/tables/kinematics/{table}.{format}",
        table=MODEL_TABLES,
        format=["csv", "html"],
    )
    + expand(
        "results/figures/kinematics/partition/{corpus}.{format}",
        corpus=PARTITION_CORPORA,
        format=["svg", "png"],
    )
    + expand("results/figures/kinematics/measure.{format}", format=["svg", "png"])
    * bool(MEASURE_CORPORA)
)

RESULTS += MEASURES

# The scores of each corpus, by model and layer, in the order of the config.
PARTITIONS = {
    corpus: [
        f"results/kinematics/{corpus}/partition/{model}/layer{layer}.parquet"
        for model in KINEMATICS_MODELS
        for layer in STUDY.layers[model]
    ]
    for corpus in PARTITION_CORPORA
}

PHONE_SCORES = {
    corpus: {
        model: [
            f"results/kinematics/{corpus}/phones/{model}/layer{layer}.parquet"
            for layer in STUDY.layers[model]
        ]
        for model in MEASURE_MODELS
    }
    for corpus in MEASURE_CORPORA
}

ARTICULATION_SCORES = {
    corpus: {
        model: f"results/articulation/{corpus}/summary/{model}/layers.csv"
        for model in MEASURE_MODELS
    }
    for corpus in MEASURE_CORPORA
}


rule partition:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        segments=segments_of,
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        "results/kinematics/{corpus}/partition/{model}/layer{layer}.parquet",
    log:
        "results/logs/partition/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/partition/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(6000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/partition.py"),
        options=fixed(
            settings.canonical(
                kinematics_models.partition(STUDY.kinematics, STUDY.articulation)
            )
        ),
    script:
        "../scripts/partition.py"


rule summarise_partition:
    input:
        scores=sum(PARTITIONS.values(), []),
    output:
        expand("results/tables/kinematics/{table}.csv", table=PARTITION_TABLES),
    log:
        "results/logs/summarise_partition.log",
    benchmark:
        "results/benchmarks/summarise_partition.tsv"
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/summarise_partition.py"),
        tables=list(PARTITION_TABLES),
        scores=fixed(settings.canonical(PARTITIONS)),
    script:
        "../scripts/summarise_partition.py"


rule probe_phones:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        segments=segments_of,
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        "results/kinematics/{corpus}/phones/{model}/layer{layer}.parquet",
    log:
        "results/logs/probe_phones/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/probe_phones/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(240),
    params:
        *sources("workflow/scripts/probe_phones.py"),
        options=fixed(
            settings.canonical(
                kinematics_models.phone_probe(STUDY.kinematics, STUDY.articulation)
            )
        ),
    script:
        "../scripts/probe_phones.py"


rule compare_scores:
    input:
        articulation=[
            path for of in ARTICULATION_SCORES.values() for path in of.values()
        ],
        phones=[
            path
            for of in PHONE_SCORES.values()
            for paths in of.values()
            for path in paths
        ],
        published=[
            shipped("resources/published/superb.csv"),
            shipped("resources/published/librispeech.csv"),
            *STUDY.kinematics["measure"]["published"],
        ],
    output:
        expand("results/tables/kinematics/{table}.csv", table=MEASURE_TABLES),
    log:
        "results/logs/compare_scores.log",
    benchmark:
        "results/benchmarks/compare_scores.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_scores.py"),
        tables=list(MEASURE_TABLES),
        articulation=fixed(settings.canonical(ARTICULATION_SCORES)),
        phones=fixed(settings.canonical(PHONE_SCORES)),
        models=MEASURE_MODELS,
        hub_ids=fixed(settings.canonical(roles.hub_ids(KINEMATICS_MODELS))),
        probe=kinematics_models.probe(STUDY.kinematics, STUDY.articulation),
    script:
        "../scripts/compare_scores.py"


rule show_kinematics_models:
    input:
        tables=expand("results/tables/kinematics/{table}.csv", table=MODEL_TABLES),
    output:
        [
            report(
                f"results/tables/kinematics/{table}.html",
                caption=f"../report/kinematics_{table}.rst",
                category="Tables",
                subcategory="kinematics",
                labels={"table": (PARTITION_TABLES | MEASURE_TABLES)[table]},
            )
            for table in MODEL_TABLES or PARTITION_TABLES
        ],
    log:
        "results/logs/show_kinematics_models.log",
    benchmark:
        "results/benchmarks/show_kinematics_models.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/show_tables.py"),
    script:
        "../scripts/show_tables.py"


rule draw_kinematics_partition:
    input:
        partition="results/tables/kinematics/partition.csv",
        statements="results/tables/kinematics/partition_statements.csv",
    output:
        svg=report(
            "results/figures/kinematics/partition/{corpus}.svg",
            caption="../report/kinematics_partition_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "physics against phones: {corpus}"},
        ),
        png="results/figures/kinematics/partition/{corpus}.png",
    log:
        "results/logs/draw_kinematics_partition/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_partition/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_partition.py"),
    script:
        "../scripts/draw_kinematics_partition.py"


rule draw_kinematics_measure:
    input:
        measure="results/tables/kinematics/measure.csv",
        models="results/tables/kinematics/measure_models.csv",
    output:
        svg=report(
            "results/figures/kinematics/measure.svg",
            caption="../report/kinematics_measure_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "articulation as a measure of models"},
        ),
        png="results/figures/kinematics/measure.png",
    log:
        "results/logs/draw_kinematics_measure.log",
    benchmark:
        "results/benchmarks/draw_kinematics_measure.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_measure.py"),
        roles=fixed(settings.canonical(roles.roles(KINEMATICS_MODELS))),
    script:
        "../scripts/draw_kinematics_measure.py"
