"""The kinematics study: whether a probe of one speaker, or group of speakers, reads another.

Needs results/{corpus}/utterances, articulation, segments (or aligned) and embeddings. Makes, under
results/kinematics/{corpus}, the scores of each layer, the tables of each model, and the maps between speakers
who read the same items; and results/tables/kinematics over all corpora and models.
"""

from workflow.dag import kinematics

KINEMATICS_CORPORA = STUDY.kinematics["corpora"]

KINEMATICS_MODELS = {name: STUDY.models[name] for name in STUDY.kinematics["models"]}

# The tables that are made per model, and the one that needs no model, as the report names them.
KINEMATICS_SUMMARIES = {
    "transfer": "transfer by layer",
    "contrast": "same group against other group",
    "maps": "before and after a map",
    "seconds": "seconds of speech that a map needs",
    "matrix": "every source and target",
    "texts": "the same texts against other texts",
}
KINEMATICS_SHOWN = KINEMATICS_SUMMARIES | {"items": "maps fitted on the same items"}

# "matrix" at every layer is too long for a page.
KINEMATICS_MADE = [*KINEMATICS_SUMMARIES, "matrix_layers"]
KINEMATICS_TABLES = expand(
    "results/tables/kinematics/{table}.csv", table=[*KINEMATICS_MADE, "items"]
)

KINEMATICS_RESULTS = [
    *KINEMATICS_TABLES,
    *expand("results/tables/kinematics/{table}.html", table=KINEMATICS_SHOWN),
] * bool(KINEMATICS_CORPORA and KINEMATICS_MODELS)

RESULTS += KINEMATICS_RESULTS


rule transfer:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        "results/kinematics/{corpus}/scores/{model}/layer{layer}.parquet",
    log:
        "results/logs/transfer/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/transfer/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(6000, per_gb=500),
        runtime=grow(60, per_gb=60),
    params:
        *sources("workflow/scripts/transfer.py"),
        options=fixed(
            settings.canonical(
                kinematics.transfer(STUDY.kinematics, STUDY.articulation)
            )
        ),
    script:
        "../scripts/transfer.py"


rule map_items:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        segments=segments_of,
    output:
        "results/kinematics/{corpus}/items.parquet",
    log:
        "results/logs/map_items/{corpus}.log",
    benchmark:
        "results/benchmarks/map_items/{corpus}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/map_items.py"),
        options=fixed(settings.canonical(kinematics.items(STUDY.kinematics))),
    script:
        "../scripts/map_items.py"


rule summarise_transfer:
    input:
        scores=over_layers(
            "results/kinematics/{corpus}/scores/{model}/layer{layer}.parquet"
        ),
    output:
        expand(
            "results/kinematics/{{corpus}}/summary/{{model}}/{table}.csv",
            table=KINEMATICS_MADE,
        ),
    log:
        "results/logs/summarise_transfer/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise_transfer/{corpus}/{model}.tsv"
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(8000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/summarise_transfer.py"),
    script:
        "../scripts/summarise_transfer.py"


rule compare_transfer:
    input:
        summaries=expand(
            "results/kinematics/{corpus}/summary/{model}/{table}.csv",
            corpus=KINEMATICS_CORPORA,
            model=KINEMATICS_MODELS,
            table=KINEMATICS_MADE,
        ),
        parallel=expand(
            "results/kinematics/{corpus}/items.parquet", corpus=KINEMATICS_CORPORA
        ),
    output:
        KINEMATICS_TABLES,
    log:
        "results/logs/compare_transfer.log",
    benchmark:
        "results/benchmarks/compare_transfer.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_transfer.py"),
        corpora=KINEMATICS_CORPORA,
    script:
        "../scripts/compare_transfer.py"


rule show_kinematics:
    input:
        tables=expand("results/tables/kinematics/{table}.csv", table=KINEMATICS_SHOWN),
    output:
        [
            report(
                f"results/tables/kinematics/{table}.html",
                caption=f"../report/kinematics_{table}.rst",
                category="Tables",
                subcategory="kinematics",
                labels={"table": KINEMATICS_SHOWN[table]},
            )
            for table in KINEMATICS_SHOWN
        ],
    log:
        "results/logs/show_kinematics.log",
    benchmark:
        "results/benchmarks/show_kinematics.tsv"
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
