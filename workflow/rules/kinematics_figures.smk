"""Figures of the kinematics study's transfer, each one per corpus.

Needs results/tables/kinematics. Makes results/figures/kinematics, each figure as SVG and PNG. Where several
probes are configured the figures show the first.
"""

KINEMATICS_FIGURES = expand(
    "results/figures/kinematics/{figure}/{corpus}.{format}",
    figure=["matrix", "matrices", "groups", "layers", "seconds"],
    corpus=KINEMATICS_CORPORA * bool(KINEMATICS_RESULTS),
    format=["svg", "png"],
)

RESULTS += KINEMATICS_FIGURES


rule draw_kinematics_matrix:
    input:
        table="results/tables/kinematics/matrix.csv",
    output:
        svg=report(
            "results/figures/kinematics/matrix/{corpus}.svg",
            caption="../report/kinematics_matrix_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "every speaker to every speaker: {corpus}"},
        ),
        png="results/figures/kinematics/matrix/{corpus}.png",
    log:
        "results/logs/draw_kinematics_matrix/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_matrix/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_matrix.py"),
        probe=STUDY.kinematics["probes"][0],
    script:
        "../scripts/draw_kinematics_matrix.py"


rule draw_kinematics_matrices:
    input:
        table="results/tables/kinematics/matrix_layers.csv",
    output:
        svg=report(
            "results/figures/kinematics/matrices/{corpus}.svg",
            caption="../report/kinematics_matrices_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "every speaker to every speaker, by layer: {corpus}"},
        ),
        png="results/figures/kinematics/matrices/{corpus}.png",
    log:
        "results/logs/draw_kinematics_matrices/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_matrices/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_matrices.py"),
        probe=STUDY.kinematics["probes"][0],
    script:
        "../scripts/draw_kinematics_matrices.py"


rule draw_kinematics_groups:
    input:
        table="results/tables/kinematics/matrix.csv",
    output:
        svg=report(
            "results/figures/kinematics/groups/{corpus}.svg",
            caption="../report/kinematics_groups_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "every group to every group: {corpus}"},
        ),
        png="results/figures/kinematics/groups/{corpus}.png",
    log:
        "results/logs/draw_kinematics_groups/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_groups/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_groups.py"),
        probe=STUDY.kinematics["probes"][0],
    script:
        "../scripts/draw_kinematics_groups.py"


rule draw_kinematics_layers:
    input:
        table="results/tables/kinematics/transfer.csv",
    output:
        svg=report(
            "results/figures/kinematics/layers/{corpus}.svg",
            caption="../report/kinematics_layers_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "transfer by layer: {corpus}"},
        ),
        png="results/figures/kinematics/layers/{corpus}.png",
    log:
        "results/logs/draw_kinematics_layers/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_layers/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_layers.py"),
        probe=STUDY.kinematics["probes"][0],
    script:
        "../scripts/draw_kinematics_layers.py"


rule draw_kinematics_seconds:
    input:
        table="results/tables/kinematics/seconds.csv",
    output:
        svg=report(
            "results/figures/kinematics/seconds/{corpus}.svg",
            caption="../report/kinematics_seconds_figure.rst",
            category="Figures",
            subcategory="kinematics",
            labels={"figure": "seconds that a map needs: {corpus}"},
        ),
        png="results/figures/kinematics/seconds/{corpus}.png",
    log:
        "results/logs/draw_kinematics_seconds/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_kinematics_seconds/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_kinematics_seconds.py"),
        probe=STUDY.kinematics["probes"][0],
    script:
        "../scripts/draw_kinematics_seconds.py"
