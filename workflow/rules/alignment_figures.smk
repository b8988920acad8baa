"""Figures of the alignment study's retrieval, each one per corpus.

Needs results/tables/alignment. Makes results/figures/alignment, each figure as SVG and PNG.
"""

ALIGNMENT_FIGURES = expand(
    "results/figures/alignment/{figure}/{corpus}.{format}",
    figure=["retrieval", "pairs"],
    corpus=ALIGNMENT_CORPORA * bool(ALIGNMENT_RESULTS),
    format=["svg", "png"],
)

RESULTS += ALIGNMENT_FIGURES


rule draw_alignment_retrieval:
    input:
        retrieval="results/tables/alignment/retrieval.csv",
    output:
        svg=report(
            "results/figures/alignment/retrieval/{corpus}.svg",
            caption="../report/alignment_retrieval_figure.rst",
            category="Figures",
            subcategory="alignment",
            labels={"figure": "retrieval by layer: {corpus}"},
        ),
        png="results/figures/alignment/retrieval/{corpus}.png",
    log:
        "results/logs/draw_alignment_retrieval/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_alignment_retrieval/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_alignment_retrieval.py"),
    script:
        "../scripts/draw_alignment_retrieval.py"


rule draw_alignment_pairs:
    input:
        retrieval="results/tables/alignment/retrieval.csv",
    output:
        svg=report(
            "results/figures/alignment/pairs/{corpus}.svg",
            caption="../report/alignment_pairs_figure.rst",
            category="Figures",
            subcategory="alignment",
            labels={"figure": "retrieval by pair: {corpus}"},
        ),
        png="results/figures/alignment/pairs/{corpus}.png",
    log:
        "results/logs/draw_alignment_pairs/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_alignment_pairs/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_alignment_pairs.py"),
    script:
        "../scripts/draw_alignment_pairs.py"
