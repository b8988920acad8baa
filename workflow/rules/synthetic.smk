"""What is shipped, made anew: `snakemake synthetic_ema`, `snakemake hubert_tiny`. Nothing else asks for it.

synthetic_ema needs vocaltractlab-cython (envs/synthesis.yaml, or installed beside the rest), which the
study does not. It makes results/synthetic-ema/: per utterance its sound and movement, in a process of its
own, then the corpus. hubert_tiny trains the small model on that corpus' audio, on one core. Both copy what
differs over resources/, whose files are inputs of the study and therefore no rule's output: a checkout
must never want to rebuild them.
"""


rule synthesise_utterance:
    input:
        code=sources("workflow/scripts/synthesise_utterance.py"),
    output:
        "results/synthetic-ema/utterances/{utterance}.npz",
    log:
        "results/logs/synthesise_utterance/{utterance}.log",
    benchmark:
        "results/benchmarks/synthesise_utterance/{utterance}.tsv"
    wildcard_constraints:
        utterance="[A-Za-z0-9_-]+",
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    script:
        "../scripts/synthesise_utterance.py"


rule synthesise_corpus:
    input:
        utterances=synthetic_utterances,
        code=sources("workflow/scripts/synthesise_corpus.py"),
    output:
        "results/synthetic-ema/sha256.txt",
    log:
        "results/logs/synthesise_corpus.log",
    benchmark:
        "results/benchmarks/synthesise_corpus.tsv"
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        shipped=shipped("resources/corpora/synthetic-ema"),
    script:
        "../scripts/synthesise_corpus.py"


rule synthetic_ema:
    input:
        "results/synthetic-ema/sha256.txt",


rule pretrain_hubert:
    input:
        recordings=shipped("resources/corpora/synthetic-ema/recordings.parquet"),
        code=sources("workflow/scripts/pretrain_hubert.py"),
    output:
        log="results/hubert-tiny-synthetic/training.tsv",
        sha256="results/hubert-tiny-synthetic/sha256.txt",
    log:
        "results/logs/pretrain_hubert.log",
    benchmark:
        "results/benchmarks/pretrain_hubert.tsv"
    conda:
        "../../envs/encoders.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        shipped=shipped("resources/models/hubert-tiny-synthetic"),
    script:
        "../scripts/pretrain_hubert.py"


rule hubert_tiny:
    input:
        "results/hubert-tiny-synthetic/sha256.txt",
