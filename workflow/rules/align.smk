"""Texts to times: forced alignment of the corpora that have `align`, one job per shard.

Needs results/{corpus}/utterances, with texts, and the aligner that the corpus names. Makes
results/aligners/{aligner}.json, which says exactly what was fetched, results/{corpus}/aligned, of the same
columns as segments, and in notes/ what could not be aligned or read.
"""

from workflow.dag import aligners

ALIGNED_CORPORA = [name for name, corpus in STUDY.corpora.items() if "align" in corpus]


rule fetch_aligner:
    input:
        checkpoint=aligner_checkpoint,
    output:
        "results/aligners/{aligner}.json",
    log:
        "results/logs/fetch_aligner/{aligner}.log",
    benchmark:
        "results/benchmarks/fetch_aligner/{aligner}.tsv"
    wildcard_constraints:
        aligner="|".join(STUDY.aligners) or "none",
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(240),
    params:
        *sources("workflow/scripts/fetch_aligner.py"),
        aligner=lambda wildcards: settings.canonical(
            aligners.deciding(wildcards.aligner, STUDY.aligners[wildcards.aligner])
        ),
    script:
        "../scripts/fetch_aligner.py"


rule align:
    input:
        utterances="results/{corpus}/utterances/{shard}.parquet",
        aligner=lambda wildcards: f"results/aligners/{STUDY.corpora[wildcards.corpus]['align']['aligner']}.json",
    output:
        segments="results/{corpus}/aligned/{shard}.parquet",
        notes="results/{corpus}/notes/align-{shard}.parquet",
    log:
        "results/logs/align/{corpus}/{shard}.log",
    benchmark:
        "results/benchmarks/align/{corpus}/{shard}.tsv"
    wildcard_constraints:
        corpus="|".join(ALIGNED_CORPORA) or "none",
    conda:
        "../../envs/alignment.yaml"
    threads: 1
    resources:
        **gpus(lambda wildcards: STUDY.aligns_on(wildcards.corpus)),
        mem_mb=grow(8000),
        runtime=grow(60, per_hour=120),
    params:
        *sources("workflow/scripts/align.py"),
        align=lambda wildcards: settings.canonical(
            STUDY.corpora[wildcards.corpus]["align"]
        ),
        on_error=lambda wildcards: STUDY.corpora[wildcards.corpus]["on_error"],
    script:
        "../scripts/align.py"
