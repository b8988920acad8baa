"""The shipped corpus synthetic-ema, made anew: `snakemake synthetic_ema`. Nothing else asks for it.

Needs vocaltractlab-cython (envs/synthesis.yaml, or installed beside the rest), which the study does
not. Makes results/synthetic-ema/: per utterance its sound and movement, in a process of its own, then
the corpus; and copies what differs over resources/corpora/synthetic-ema. That folder is an input of the
study and therefore no rule's output: a checkout must never want to rebuild it.
"""


def synthetic_utterances(wildcards):
    from phonoscope.corpora import synthesis_plan

    names = [row["utterance_id"] for row in synthesis_plan.utterances()]
    return [f"results/synthetic-ema/utterances/{name}.npz" for name in names]


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
