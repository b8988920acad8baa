"""The known-answer tone languages, made anew: `snakemake synthetic_tone`. Nothing else asks for it.

Makes results/synthetic-tone/sha256.txt, and copies what differs over resources/corpora/synthetic-tone/, whose
files are inputs of studies and therefore no rule's output: a checkout must never want to rebuild them.
"""


rule synthesise_tone:
    output:
        "results/synthetic-tone/sha256.txt",
    log:
        "results/logs/synthesise_tone.log",
    benchmark:
        "results/benchmarks/synthesise_tone.tsv"
    conda:
        "../../envs/corpora.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(20),
    params:
        *sources("workflow/scripts/synthesise_tone.py"),
        shipped=shipped("resources/corpora/synthetic-tone"),
    script:
        "../scripts/synthesise_tone.py"


rule synthetic_tone:
    input:
        "results/synthetic-tone/sha256.txt",
