"""Calibration: cases whose answer is known, against what the instrument says.

Needs what the config's section `calibration` names: the utterances and segments of corpora whose times
are known, scores of the articulation study, and the embeddings of a corpus of two languages. Makes
results/tables/calibration.csv of one part per case (and model), results/calibration, and a figure.
A study adds its own cases by adding to CALIBRATION_PARTS.
"""

from phonoscope.studies import calibration_models

REFERENCES = calibration_models.references(STUDIED)

ALIGNED = STUDY.calibration.get("aligner", {"corpora": []})["corpora"]

CALIBRATION_PARTS = [
    *expand("results/calibration/{corpus}/aligner.parquet", corpus=ALIGNED),
    *expand(
        "results/calibration/{corpus}/articulation/{model}.parquet",
        corpus=STUDY.calibration["articulation"],
        model=REFERENCES,
    ),
    *expand(
        "results/calibration/{corpus}/disjoint/{model}.parquet",
        corpus=STUDY.calibration["disjoint"],
        model=STUDIED,
    ),
    *expand(
        "results/calibration/{corpus}/{part}.parquet",
        corpus=STUDY.calibration["challenge"],
        part=["challenge", "retrieval"],
    ),
    *expand(
        "results/calibration/{corpus}/word_times/{model}.parquet",
        corpus=STUDY.calibration["word_times"],
        model=STUDY.alignment["word_times"]["models"],
    ),
    *(["results/calibration/tone.parquet"] if STUDY.calibration["tone"] else []),
]

CALIBRATION = [
    "results/tables/calibration.csv",
    "results/tables/calibration.html",
    "results/figures/calibration.svg",
    "results/figures/calibration.png",
] * bool(CALIBRATION_PARTS)

RESULTS += CALIBRATION


rule align_boundaries:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        segments=over_shards("results/{corpus}/segments/{shard}.parquet"),
        aligner=aligner_files,
    output:
        "results/calibration/{corpus}/boundaries.parquet",
    log:
        "results/logs/align_boundaries/{corpus}.log",
    benchmark:
        "results/benchmarks/align_boundaries/{corpus}.tsv"
    conda:
        "../../envs/encoders.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/align_boundaries.py"),
        folder=lambda wildcards: calibrations.aligner_folder(STUDY.calibration),
        options=lambda wildcards: settings.canonical(
            {
                key: STUDY.calibration["aligner"][key]
                for key in ("languages", "splits", "speakers")
            }
        ),
    script:
        "../scripts/align_boundaries.py"


rule calibrate_aligner:
    input:
        boundaries="results/calibration/{corpus}/boundaries.parquet",
    output:
        "results/calibration/{corpus}/aligner.parquet",
    log:
        "results/logs/calibrate_aligner/{corpus}.log",
    benchmark:
        "results/benchmarks/calibrate_aligner/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/probes.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/calibrate_aligner.py"),
        folder=lambda wildcards: calibrations.aligner_folder(STUDY.calibration),
    script:
        "../scripts/calibrate_aligner.py"


rule calibrate_articulation:
    input:
        scores=over_layers(
            "results/articulation/{corpus}/scores/{model}/layer{layer}.parquet"
        ),
        references=lambda wildcards: [
            f"results/articulation/{wildcards.corpus}/scores/{reference}/layer{layer}.parquet"
            for reference in REFERENCES[wildcards.model]
            for layer in STUDY.layers[reference]
        ],
    output:
        "results/calibration/{corpus}/articulation/{model}.parquet",
    log:
        "results/logs/calibrate_articulation/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/calibrate_articulation/{corpus}/{model}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/calibrate_articulation.py"),
        probe=STUDY.articulation["probes"][0],
    script:
        "../scripts/calibrate_articulation.py"


rule calibrate_disjoint:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        articulation=over_shards("results/{corpus}/articulation/{shard}.parquet"),
        embeddings=lambda wildcards: expand(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet",
            corpus=wildcards.corpus,
            model=wildcards.model,
            layer=STUDY.layers[wildcards.model],
            shard=STUDY.shards[wildcards.corpus],
        ),
    output:
        "results/calibration/{corpus}/disjoint/{model}.parquet",
    log:
        "results/logs/calibrate_disjoint/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/calibrate_disjoint/{corpus}/{model}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/calibrate_disjoint.py"),
        options=fixed(
            STUDY.option("articulation", ("alphas", "frame_alignment", "shifts_s"))
        ),
    script:
        "../scripts/calibrate_disjoint.py"


rule calibrate_word_times:
    input:
        word_times="results/alignment/{corpus}/word_times/{model}.parquet",
        segments=over_shards("results/{corpus}/segments/{shard}.parquet"),
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
    output:
        "results/calibration/{corpus}/word_times/{model}.parquet",
    log:
        "results/logs/calibrate_word_times/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/calibrate_word_times/{corpus}/{model}.tsv"
    localrule: True
    conda:
        "../../envs/probes.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/calibrate_word_times.py"),
    script:
        "../scripts/calibrate_word_times.py"


rule calibrate_table:
    input:
        parts=CALIBRATION_PARTS,
    output:
        csv="results/tables/calibration.csv",
        html=report(
            "results/tables/calibration.html",
            caption="../report/calibration.rst",
            category="Calibration",
            labels={"table": "known truth and what is measured"},
        ),
    log:
        "results/logs/calibrate_table.log",
    benchmark:
        "results/benchmarks/calibrate_table.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/calibrate_table.py"),
    script:
        "../scripts/calibrate_table.py"


rule draw_calibration:
    input:
        table="results/tables/calibration.csv",
        boundaries=expand(
            "results/calibration/{corpus}/boundaries.parquet", corpus=ALIGNED
        ),
    output:
        svg=report(
            "results/figures/calibration.svg",
            caption="../report/calibration_figure.rst",
            category="Calibration",
            labels={"figure": "known truth and what is measured"},
        ),
        png="results/figures/calibration.png",
    log:
        "results/logs/draw_calibration.log",
    benchmark:
        "results/benchmarks/draw_calibration.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_calibration.py"),
        roles=fixed(settings.canonical(roles.roles(STUDIED))),
    script:
        "../scripts/draw_calibration.py"


rule calibrate_tones:
    input:
        windows=expand(
            "results/tone/{corpus}/windows.parquet", corpus=STUDY.calibration["tone"]
        ),
        chosen=expand(
            "results/tone/{corpus}/items.parquet", corpus=STUDY.calibration["tone"]
        ),
        truth=[tones.truth(STUDY.corpora[name]) for name in STUDY.calibration["tone"]],
    output:
        "results/calibration/tone.parquet",
    log:
        "results/logs/calibrate_tones.log",
    benchmark:
        "results/benchmarks/calibrate_tones.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(1000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/calibrate_tones.py"),
        corpora=STUDY.calibration["tone"],
    script:
        "../scripts/calibrate_tones.py"
