"""Figures: one rule each, so that a change of style draws one figure again.

Needs results/tables/{corpus}, and for the trajectories the predictions of each layer. Makes
results/figures/{corpus}, each figure as SVG and PNG. Where several probes are configured the
figures show the first.
"""

FIGURES = {
    "layer_profiles": {"E1", "E4"},
    "heatmap": {"E1", "E2"},
    "training_size": {"E3"},
    "speakers": {"E4"},
    "tasks_conditions": {"E5"},
}

STUDY_FIGURES = expand(
    "results/figures/{corpus}/{figure}.{format}",
    corpus=STUDY.articulation["corpora"],
    figure=[
        "quality",
        *(f"trajectories/{model}" for model in STUDIED),
        *(name for name in FIGURES if FIGURES[name] & EXPERIMENTS),
    ],
    format=["svg", "png"],
)

RESULTS += STUDY_FIGURES


rule draw_layer_profiles:
    input:
        table="results/tables/{corpus}/layers.csv",
    output:
        svg=report(
            "results/figures/{corpus}/layer_profiles.svg",
            caption="../report/layer_profiles.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "r by layer"},
        ),
        png="results/figures/{corpus}/layer_profiles.png",
    log:
        "results/logs/draw_layer_profiles/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_layer_profiles/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_layer_profiles.py"),
        roles=fixed(settings.canonical(roles.roles(STUDIED))),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_layer_profiles.py"


rule draw_heatmap:
    input:
        table="results/tables/{corpus}/E2.csv",
    output:
        svg=report(
            "results/figures/{corpus}/heatmap.svg",
            caption="../report/heatmap.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "r by layer and channel"},
        ),
        png="results/figures/{corpus}/heatmap.png",
    log:
        "results/logs/draw_heatmap/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_heatmap/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_heatmap.py"),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_heatmap.py"


rule draw_training_size:
    input:
        table="results/tables/{corpus}/E3.csv",
    output:
        svg=report(
            "results/figures/{corpus}/training_size.svg",
            caption="../report/training_size.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "r by training size"},
        ),
        png="results/figures/{corpus}/training_size.png",
    log:
        "results/logs/draw_training_size/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_training_size/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_training_size.py"),
        roles=fixed(settings.canonical(roles.roles(STUDIED))),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_training_size.py"


rule draw_tasks_conditions:
    input:
        table="results/tables/{corpus}/E5.csv",
    output:
        svg=report(
            "results/figures/{corpus}/tasks_conditions.svg",
            caption="../report/tasks_conditions.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "r by task and condition"},
        ),
        png="results/figures/{corpus}/tasks_conditions.png",
    log:
        "results/logs/draw_tasks_conditions/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_tasks_conditions/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_tasks_conditions.py"),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_tasks_conditions.py"


rule draw_speakers:
    input:
        table="results/tables/{corpus}/speakers.csv",
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
    output:
        svg=report(
            "results/figures/{corpus}/speakers.svg",
            caption="../report/speakers_figure.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "r by speaker"},
        ),
        png="results/figures/{corpus}/speakers.png",
    log:
        "results/logs/draw_speakers/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_speakers/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_speakers.py"),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_speakers.py"


rule draw_quality:
    input:
        table="results/tables/{corpus}/quality.csv",
    output:
        svg=report(
            "results/figures/{corpus}/quality.svg",
            caption="../report/quality_figure.rst",
            category="Recordings",
            subcategory="{corpus}",
            labels={"figure": "quality of the recordings"},
        ),
        png="results/figures/{corpus}/quality.png",
    log:
        "results/logs/draw_quality/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_quality/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_quality.py"),
    script:
        "../scripts/draw_quality.py"


rule draw_trajectories:
    input:
        layers="results/articulation/{corpus}/summary/{model}/layers.csv",
        predictions=over_layers(
            "results/articulation/{corpus}/predictions/{model}/layer{layer}.parquet"
        ),
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        segments=over_shards("results/{corpus}/segments/{shard}.parquet"),
    output:
        svg=report(
            "results/figures/{corpus}/trajectories/{model}.svg",
            caption="../report/trajectories.rst",
            category="Figures",
            subcategory="{corpus}",
            labels={"figure": "measured and predicted: {model}"},
        ),
        png="results/figures/{corpus}/trajectories/{model}.png",
    log:
        "results/logs/draw_trajectories/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/draw_trajectories/{corpus}/{model}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_trajectories.py"),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/draw_trajectories.py"
