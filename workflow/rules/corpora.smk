"""Recordings to tables: one job per shard, so that a new speaker leaves the others alone.

Needs the recordings and the speaker sheet of a corpus; the recordings are not inputs, because no
corpus is scanned to plan the work. Corpora of the hub or in an archive are fetched and corpora to train on are spoken
into results/{corpus}/source first. Makes results/{corpus}/utterances and segments, where there are
sensors also articulation and quality, and in notes/ what was left out or converted.
"""


rule fetch_corpus:
    output:
        "results/{corpus}/source.json",
    log:
        "results/logs/fetch_corpus/{corpus}.log",
    benchmark:
        "results/benchmarks/fetch_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus="|".join(HUB_CORPORA) or "none",
    localrule: True
    conda:
        "../../envs/corpora.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(720),
    params:
        *sources("workflow/scripts/fetch_corpus.py"),
        corpus=lambda wildcards: STUDY.corpus(wildcards.corpus, ("hub", "archive")),
    script:
        "../scripts/fetch_corpus.py"


rule speak_corpus:
    output:
        "results/{corpus}/source.json",
    log:
        "results/logs/speak_corpus/{corpus}.log",
    benchmark:
        "results/benchmarks/speak_corpus/{corpus}.tsv"
    wildcard_constraints:
        corpus="|".join(SPOKEN_CORPORA) or "none",
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/speak_corpus.py"),
        corpus=lambda wildcards: STUDY.corpus(wildcards.corpus, ("speak",)),
    script:
        "../scripts/speak_corpus.py"


rule tabulate:
    input:
        files=corpus_files,
    output:
        utterances="results/{corpus}/utterances/{shard}.parquet",
        segments="results/{corpus}/segments/{shard}.parquet",
        notes="results/{corpus}/notes/recordings-{shard}.parquet",
    log:
        "results/logs/tabulate/{corpus}/{shard}.log",
    benchmark:
        "results/benchmarks/tabulate/{corpus}/{shard}.tsv"
    conda:
        "../../envs/corpora.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/tabulate.py"),
        corpus=lambda wildcards: STUDY.corpus(wildcards.corpus, settings.RECORDINGS),
        speakers=lambda wildcards: STUDY.speakers(
            wildcards.corpus, wildcards.shard, without=settings.CHANNELS
        ),
    script:
        "../scripts/tabulate.py"


rule filter_ema:
    input:
        files=corpus_files,
        utterances="results/{corpus}/utterances/{shard}.parquet",
    output:
        articulation="results/{corpus}/articulation/{shard}.parquet",
        quality="results/{corpus}/quality/{shard}.parquet",
        notes="results/{corpus}/notes/articulation-{shard}.parquet",
    log:
        "results/logs/filter_ema/{corpus}/{shard}.log",
    benchmark:
        "results/benchmarks/filter_ema/{corpus}/{shard}.tsv"
    conda:
        "../../envs/corpora.yaml"
    resources:
        mem_mb=grow(2000, per_hour=2000),
        runtime=grow(30, per_hour=30),
    params:
        *sources("workflow/scripts/filter_ema.py"),
        corpus=lambda wildcards: STUDY.corpus(
            wildcards.corpus, settings.RECORDINGS + settings.CHANNELS
        ),
        speakers=lambda wildcards: STUDY.speakers(wildcards.corpus, wildcards.shard),
        options=fixed(STUDY.option("articulation", settings.FILTER)),
    script:
        "../scripts/filter_ema.py"
