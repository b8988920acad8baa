"""The corpus synthetic-parallel, made anew: `snakemake synthetic_parallel`. Nothing else asks for it.

Needs espeakng-loader (envs/synthesis.yaml, or installed beside the rest), which the study does not. It speaks
512 utterances, half a minute's work, and copies what differs over resources/, whose files are inputs of
the study and therefore no rule's output. The phrases and the lexicon are read, not made.
"""


rule synthesise_parallel:
    input:
        phrases=shipped("resources/corpora/synthetic-parallel/phrases.tsv"),
        lexicon=shipped("resources/corpora/synthetic-parallel/lexicon.tsv"),
    output:
        "results/synthetic-parallel/sha256.txt",
    log:
        "results/logs/synthesise_parallel.log",
    benchmark:
        "results/benchmarks/synthesise_parallel.tsv"
    conda:
        "../../envs/synthesis.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        *sources("workflow/scripts/synthesise_parallel.py"),
        shipped=fixed(shipped("resources/corpora/synthetic-parallel")),
    script:
        "../scripts/synthesise_parallel.py"


rule synthetic_parallel:
    input:
        "results/synthetic-parallel/sha256.txt",
