"""Tables over models, one folder per corpus: what a paper prints, and what it rests on.

Needs the summaries of each model, and the quality tables and notes of the corpus. Makes
results/tables/{corpus}: each table as CSV, and as a page for the report.
"""

RECORDINGS = {"quality": "quality", "left_out": "left out, converted, warned about"}

TABLES = {
    "E1": "E1: r per model",
    "layers": "r per layer",
    "E2": "E2: r per layer and channel",
    "E3": "E3: r per training size",
    "E4": "E4: r per speaker left out",
    "E5": "E5: r per native language, task and condition",
    "E5_speakers": "E5 per speaker",
    "speakers": "r per speaker at the best layer",
    "comparisons": "models compared over speakers",
    "published_vs_measured": "published and measured",
    **RECORDINGS,
}
if len(STUDY.articulation["splits"]) > 1:
    TABLES["leak"] = "how much held-out frames leak"

STUDY_TABLES = expand(
    "results/tables/{corpus}/{table}.{format}",
    corpus=STUDY.articulation["corpora"],
    table=TABLES,
    format=["csv", "html"],
)

RESULTS += STUDY_TABLES


rule combine:
    input:
        tables=[
            over_models(
                f"results/articulation/{{corpus}}/summary/{{model}}/{table}.csv"
            )
            for table in SUMMARIES
        ],
    output:
        expand(
            "results/tables/{corpus}/{table}.csv",
            table=SUMMARIES,
            allow_missing=True,
        ),
    log:
        "results/logs/combine/{corpus}.log",
    benchmark:
        "results/benchmarks/combine/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/combine.py"),
    script:
        "../scripts/combine.py"


rule compare_models:
    input:
        speakers="results/tables/{corpus}/speakers.csv",
    output:
        "results/tables/{corpus}/comparisons.csv",
    log:
        "results/logs/compare_models/{corpus}.log",
    benchmark:
        "results/benchmarks/compare_models/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_models.py"),
    script:
        "../scripts/compare_models.py"


rule compare_published:
    input:
        tables=expand(
            "results/tables/{corpus}/{table}.csv",
            table=SUMMARIES,
            allow_missing=True,
        ),
        published=shipped("resources/published/articulation.csv"),
    output:
        "results/tables/{corpus}/published_vs_measured.csv",
    log:
        "results/logs/compare_published/{corpus}.log",
    benchmark:
        "results/benchmarks/compare_published/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_published.py"),
        hub_ids=fixed(settings.canonical(roles.hub_ids(STUDIED))),
        paper=lambda wildcards: STUDY.corpus(wildcards.corpus, ("paper",)),
    script:
        "../scripts/compare_published.py"


rule assess_quality:
    input:
        quality=over_shards("results/{corpus}/quality/{shard}.parquet"),
    output:
        "results/tables/{corpus}/quality.csv",
    log:
        "results/logs/assess_quality/{corpus}.log",
    benchmark:
        "results/benchmarks/assess_quality/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/assess_quality.py"),
    script:
        "../scripts/assess_quality.py"


rule list_left_out:
    input:
        recordings=over_shards("results/{corpus}/notes/recordings-{shard}.parquet"),
        articulation=over_shards("results/{corpus}/notes/articulation-{shard}.parquet"),
        embeddings=over_models_and_shards(
            "results/{corpus}/notes/embeddings/{model}/{shard}.parquet"
        ),
    output:
        "results/tables/{corpus}/left_out.csv",
    log:
        "results/logs/list_left_out/{corpus}.log",
    benchmark:
        "results/benchmarks/list_left_out/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/list_left_out.py"),
    script:
        "../scripts/list_left_out.py"


rule show_tables:
    input:
        tables=expand(
            "results/tables/{corpus}/{table}.csv", table=TABLES, allow_missing=True
        ),
    output:
        [
            report(
                f"results/tables/{{corpus}}/{table}.html",
                caption=f"../report/{table}.rst",
                category="Recordings" if table in RECORDINGS else "Tables",
                subcategory="{corpus}",
                labels={"table": TABLES[table]},
            )
            for table in TABLES
        ],
    log:
        "results/logs/show_tables/{corpus}.log",
    benchmark:
        "results/benchmarks/show_tables/{corpus}.tsv"
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
