"""Figures of the tone study: one rule each, over all corpora and models; profiles one per corpus.

Needs results/tables/tone. Makes results/figures/tone, each figure as SVG and PNG.
"""

TONE_FIGURES = expand(
    "results/figures/tone/{figure}.{format}",
    figure=[
        *["windows", "layers", "spans", "variants", "confusion"],
        *expand(
            "profiles/{corpus}",
            corpus=TONE_CORPORA if STUDY.tone["focus"]["models"] else [],
        ),
    ]
    * bool(TONE_RESULTS),
    format=["svg", "png"],
)

RESULTS += TONE_FIGURES


rule draw_tone_windows:
    input:
        windows="results/tables/tone/windows.csv",
        spans="results/tables/tone/spans.csv",
    output:
        svg=report(
            "results/figures/tone/windows.svg",
            caption="../report/tone_windows_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "macro-F1 by window"},
        ),
        png="results/figures/tone/windows.png",
    log:
        "results/logs/draw_tone_windows.log",
    benchmark:
        "results/benchmarks/draw_tone_windows.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_windows.py"),
    script:
        "../scripts/draw_tone_windows.py"


rule draw_tone_layers:
    input:
        layers="results/tables/tone/layers.csv",
        spans="results/tables/tone/spans.csv",
    output:
        svg=report(
            "results/figures/tone/layers.svg",
            caption="../report/tone_layers_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "macro-F1 by layer"},
        ),
        png="results/figures/tone/layers.png",
    log:
        "results/logs/draw_tone_layers.log",
    benchmark:
        "results/benchmarks/draw_tone_layers.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_layers.py"),
        roles=fixed(settings.canonical(roles.roles(TONED))),
    script:
        "../scripts/draw_tone_layers.py"


rule draw_tone_spans:
    input:
        layers="results/tables/tone/layers.csv",
        occlusion="results/tables/tone/occlusion.csv",
    output:
        svg=report(
            "results/figures/tone/spans.svg",
            caption="../report/tone_spans_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "span by layer"},
        ),
        png="results/figures/tone/spans.png",
    log:
        "results/logs/draw_tone_spans.log",
    benchmark:
        "results/benchmarks/draw_tone_spans.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_spans.py"),
        roles=fixed(settings.canonical(roles.roles(TONED))),
    script:
        "../scripts/draw_tone_spans.py"


rule draw_tone_profiles:
    input:
        profiles="results/tables/tone/profiles.csv",
        spans="results/tables/tone/spans.csv",
    output:
        svg=report(
            "results/figures/tone/profiles/{corpus}.svg",
            caption="../report/tone_profiles_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "gradient by offset: {corpus}"},
        ),
        png="results/figures/tone/profiles/{corpus}.png",
    log:
        "results/logs/draw_tone_profiles/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_tone_profiles/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_profiles.py"),
    script:
        "../scripts/draw_tone_profiles.py"


rule draw_tone_variants:
    input:
        variants="results/tables/tone/variants.csv",
        variant_tests="results/tables/tone/variant_tests.csv",
        layers="results/tables/tone/layers.csv",
    output:
        svg=report(
            "results/figures/tone/variants.svg",
            caption="../report/tone_variants_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "variants in order"},
        ),
        png="results/figures/tone/variants.png",
    log:
        "results/logs/draw_tone_variants.log",
    benchmark:
        "results/benchmarks/draw_tone_variants.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_variants.py"),
        roles=fixed(settings.canonical(roles.roles(TONED))),
    script:
        "../scripts/draw_tone_variants.py"


rule draw_tone_confusion:
    input:
        confusion="results/tables/tone/confusion.csv",
        layers="results/tables/tone/layers.csv",
    output:
        svg=report(
            "results/figures/tone/confusion.svg",
            caption="../report/tone_confusion_figure.rst",
            category="Figures",
            subcategory="tone",
            labels={"figure": "confusion of tones"},
        ),
        png="results/figures/tone/confusion.png",
    log:
        "results/logs/draw_tone_confusion.log",
    benchmark:
        "results/benchmarks/draw_tone_confusion.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tone_confusion.py"),
    script:
        "../scripts/draw_tone_confusion.py"
