"""The corpora of articulatory synthesis, made anew: `snakemake synthetic_ema` or `synthetic_ema_disjoint`.

Nothing else asks for them. They need vocaltractlab-cython (envs/synthesis.yaml, or installed beside the rest),
which the study does not, and make results/{spoken}/, spoken being the corpus: per utterance its sound and
movement, in a process of its own, then the corpus, of which what differs is copied over resources/. The files
there are inputs of the study and therefore no rule's output: a checkout must never want to rebuild them.
"""


rule synthesise_utterance:
    output:
        "results/{spoken}/utterances/{utterance}.npz",
    log:
        "results/logs/synthesise_utterance/{spoken}/{utterance}.log",
    benchmark:
        "results/benchmarks/synthesise_utterance/{spoken}/{utterance}.tsv"
    wildcard_constraints:
        spoken="synthetic-ema(-disjoint)?",
        utterance="[A-Za-z0-9_-]+",
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(20),
    params:
        *sources("workflow/scripts/synthesise_utterance.py"),
    script:
        "../scripts/synthesise_utterance.py"


rule synthesise_corpus:
    input:
        utterances=synthetic_utterances,
    output:
        "results/{spoken}/sha256.txt",
    log:
        "results/logs/synthesise_corpus/{spoken}.log",
    benchmark:
        "results/benchmarks/synthesise_corpus/{spoken}.tsv"
    wildcard_constraints:
        spoken="synthetic-ema(-disjoint)?",
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        *sources("workflow/scripts/synthesise_corpus.py"),
        shipped=lambda wildcards: shipped(f"resources/corpora/{wildcards.spoken}"),
    script:
        "../scripts/synthesise_corpus.py"


rule synthetic_ema:
    input:
        "results/synthetic-ema/sha256.txt",


rule synthetic_ema_disjoint:
    input:
        "results/synthetic-ema-disjoint/sha256.txt",
