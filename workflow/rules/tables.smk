"""Tables over models, one folder per corpus: what a paper prints, and what it rests on.

Needs the summaries of each model, and the quality tables and notes of the corpus. Makes
results/tables/{corpus}.
"""

STUDY_TABLES = expand(
    "results/tables/{corpus}/{table}.csv",
    corpus=STUDY.articulation["corpora"],
    table=[*SUMMARIES, "comparisons", "published_vs_measured", "quality", "left_out"],
)


rule combine:
    input:
        tables=[
            over_models(
                f"results/articulation/{{corpus}}/summary/{{model}}/{table}.csv"
            )
            for table in SUMMARIES
        ],
        code=sources("workflow/scripts/combine.py"),
    output:
        [
            report(
                f"results/tables/{{corpus}}/{table}.csv",
                caption=f"../report/{table}.rst",
                category="Tables",
                subcategory="{corpus}",
                labels={"table": table},
            )
            for table in SUMMARIES
        ],
    log:
        "results/logs/combine/{corpus}.log",
    benchmark:
        "results/benchmarks/combine/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../scripts/combine.py"


rule compare_models:
    input:
        speakers="results/tables/{corpus}/speakers.csv",
        code=sources("workflow/scripts/compare_models.py"),
    output:
        report(
            "results/tables/{corpus}/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Tables",
            subcategory="{corpus}",
            labels={"table": "comparisons of models"},
        ),
    log:
        "results/logs/compare_models/{corpus}.log",
    benchmark:
        "results/benchmarks/compare_models/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
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
        code=sources("workflow/scripts/compare_published.py"),
    output:
        report(
            "results/tables/{corpus}/published_vs_measured.csv",
            caption="../report/published.rst",
            category="Tables",
            subcategory="{corpus}",
            labels={"table": "published and measured"},
        ),
    log:
        "results/logs/compare_published/{corpus}.log",
    benchmark:
        "results/benchmarks/compare_published/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        hub_ids=fixed(settings.canonical(roles.hub_ids(STUDIED))),
        paper=lambda wildcards: STUDY.corpus(wildcards.corpus, ("paper",)),
    script:
        "../scripts/compare_published.py"


rule assess_quality:
    input:
        quality=over_shards("results/{corpus}/quality/{shard}.parquet"),
        code=sources("workflow/scripts/assess_quality.py"),
    output:
        report(
            "results/tables/{corpus}/quality.csv",
            caption="../report/quality_table.rst",
            category="Recordings",
            subcategory="{corpus}",
            labels={"table": "quality"},
        ),
    log:
        "results/logs/assess_quality/{corpus}.log",
    benchmark:
        "results/benchmarks/assess_quality/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../scripts/assess_quality.py"


rule list_left_out:
    input:
        recordings=over_shards("results/{corpus}/notes/recordings-{shard}.parquet"),
        articulation=over_shards("results/{corpus}/notes/articulation-{shard}.parquet"),
        embeddings=over_models_and_shards(
            "results/{corpus}/notes/embeddings/{model}/{shard}.parquet"
        ),
        code=sources("workflow/scripts/list_left_out.py"),
    output:
        report(
            "results/tables/{corpus}/left_out.csv",
            caption="../report/left_out.rst",
            category="Recordings",
            subcategory="{corpus}",
            labels={"table": "left out, converted, warned about"},
        ),
    log:
        "results/logs/list_left_out/{corpus}.log",
    benchmark:
        "results/benchmarks/list_left_out/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    script:
        "../scripts/list_left_out.py"
