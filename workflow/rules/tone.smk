"""The tone study: how well each layer tells tones apart, and how wide a stretch of time it uses for it.

Needs results/{corpus}/utterances, segments (or aligned) and embeddings, the audio, and the models.
Makes, under results/tone/{corpus}, the items with their folds, the acoustic baseline, and per model the
scores, predictions and probes of each layer, the gradient profiles and the margins under occlusion;
results/tables/tone over all corpora and models.
"""

from workflow.dag import tones

TONED = {name: STUDY.models[name] for name in STUDY.tone["models"]}

TONE_CORPORA = STUDY.tone["corpora"]

# Which model is probed on which corpus.
TONE_PAIRS = [
    (corpus, model)
    for corpus in TONE_CORPORA
    for model in TONED
    if tones.probed(STUDY.tone, model, corpus)
]

# What the alignment of each corpus could not do; nothing where it came with segments.
TONE_NOTES = [
    (
        [
            f"results/{corpus}/notes/align-{shard}.parquet"
            for shard in STUDY.shards[corpus]
        ]
        if "align" in STUDY.corpora[corpus]
        else []
    )
    for corpus in TONE_CORPORA
]

TONE_SUMMARIES = ["layers", "folds", "profiles", "occlusion", "confusion"]

TONE_TABLES = {
    "spans": "acoustic span per language, measured and published",
    "windows": "macro-F1 per log-mel window",
    "layers": "macro-F1 and span per model and layer",
    "variants": "variants of a model in order",
    "variant_tests": "variants compared over folds",
    "occlusion": "margin kept within a stretch",
    "profiles": "gradient energy by offset",
    "confusion": "confusion of tones",
    "folds": "macro-F1 and span per fold",
    "left_out": "tones left out",
}

TONE_RESULTS = expand(
    "results/tables/tone/{table}.{format}",
    table=TONE_TABLES if TONE_PAIRS else [],
    format=["csv", "html"],
)


TONE_RESULTS += expand(
    "results/tables/tone_rules/{spelling}-{table}.csv",
    spelling=STUDY.tone["dictionaries"],
    table=["agreement", "confusion"],
)

RESULTS += TONE_RESULTS


rule validate_tones:
    input:
        dictionary=lambda wildcards: STUDY.tone["dictionaries"][wildcards.spelling][
            "path"
        ],
    output:
        agreement="results/tables/tone_rules/{spelling}-agreement.csv",
        confusion="results/tables/tone_rules/{spelling}-confusion.csv",
    log:
        "results/logs/validate_tones/{spelling}.log",
    benchmark:
        "results/benchmarks/validate_tones/{spelling}.tsv"
    wildcard_constraints:
        spelling="|".join(STUDY.tone["dictionaries"]) or "none",
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/validate_tones.py"),
        spelling=lambda wildcards: wildcards.spelling,
        contours=lambda wildcards: settings.canonical(
            STUDY.tone["dictionaries"][wildcards.spelling]["contours"]
        ),
    script:
        "../scripts/validate_tones.py"


rule choose_tones:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        segments=segments_of,
    output:
        chosen="results/tone/{corpus}/items.parquet",
        left_out="results/tone/{corpus}/left_out.parquet",
    log:
        "results/logs/choose_tones/{corpus}.log",
    benchmark:
        "results/benchmarks/choose_tones/{corpus}.tsv"
    conda:
        "../../envs/probes.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/choose_tones.py"),
        options=fixed(STUDY.option("tone", tones.ITEMS)),
    script:
        "../scripts/choose_tones.py"


rule score_windows:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        chosen="results/tone/{corpus}/items.parquet",
    output:
        "results/tone/{corpus}/windows.parquet",
    log:
        "results/logs/score_windows/{corpus}.log",
    benchmark:
        "results/benchmarks/score_windows/{corpus}.tsv"
    conda:
        "../../envs/encoders.yaml"
    threads: 1
    resources:
        mem_mb=grow(8000),
        runtime=grow(120, per_hour=120),
    params:
        *sources("workflow/scripts/score_windows.py"),
        options=fixed(
            settings.canonical(
                STUDY.tone["acoustic"] | {key: STUDY.tone[key] for key in tones.PROBE}
            )
        ),
    script:
        "../scripts/score_windows.py"


rule score_tones:
    input:
        chosen="results/tone/{corpus}/items.parquet",
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        scores="results/tone/{corpus}/scores/{model}/layer{layer}.parquet",
        predictions="results/tone/{corpus}/predictions/{model}/layer{layer}.parquet",
        probes="results/tone/{corpus}/probes/{model}/layer{layer}.npz",
    log:
        "results/logs/score_tones/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/score_tones/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/probes.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(60, per_gb=60),
    params:
        *sources("workflow/scripts/score_tones.py"),
        options=fixed(STUDY.option("tone", (*tones.PROBE, "representation"))),
    script:
        "../scripts/score_tones.py"


rule focus:
    input:
        utterances="results/{corpus}/utterances/{shard}.parquet",
        chosen="results/tone/{corpus}/items.parquet",
        probes=over_layers("results/tone/{corpus}/probes/{model}/layer{layer}.npz"),
        model="results/models/{model}.json",
    output:
        "results/tone/{corpus}/focus/{model}/{shard}.parquet",
    log:
        "results/logs/focus/{model}/{corpus}/{shard}.log",
    benchmark:
        "results/benchmarks/focus/{model}/{corpus}/{shard}.tsv"
    conda:
        "../../envs/encoders.yaml"
    threads: 1
    resources:
        **ENCODING_GPU,
        mem_mb=grow(16000),
        runtime=grow(120, per_hour=480),
    params:
        *sources("workflow/scripts/focus.py"),
        model=lambda wildcards: STUDY.model(wildcards.model),
        layers=lambda wildcards: STUDY.layers[wildcards.model],
        options=fixed(settings.canonical(tones.focus(STUDY.tone))),
        stretch=fixed(STUDY.option("embeddings", ("window", "overlap"))),
    script:
        "../scripts/focus.py"


rule occlude:
    input:
        utterances="results/{corpus}/utterances/{shard}.parquet",
        chosen="results/tone/{corpus}/items.parquet",
        probes=over_layers("results/tone/{corpus}/probes/{model}/layer{layer}.npz"),
        predictions=over_layers(
            "results/tone/{corpus}/predictions/{model}/layer{layer}.parquet"
        ),
        model="results/models/{model}.json",
    output:
        "results/tone/{corpus}/occlusion/{model}/{shard}.parquet",
    log:
        "results/logs/occlude/{model}/{corpus}/{shard}.log",
    benchmark:
        "results/benchmarks/occlude/{model}/{corpus}/{shard}.tsv"
    conda:
        "../../envs/encoders.yaml"
    threads: 1
    resources:
        **ENCODING_GPU,
        mem_mb=grow(16000),
        runtime=grow(120, per_hour=480),
    params:
        *sources("workflow/scripts/occlude.py"),
        model=lambda wildcards: STUDY.model(wildcards.model),
        layers=lambda wildcards: STUDY.layers[wildcards.model],
        options=fixed(settings.canonical(tones.occlusion(STUDY.tone))),
        stretch=fixed(STUDY.option("embeddings", ("window", "overlap"))),
    script:
        "../scripts/occlude.py"


rule summarise_tones:
    input:
        chosen="results/tone/{corpus}/items.parquet",
        scores=over_layers("results/tone/{corpus}/scores/{model}/layer{layer}.parquet"),
        predictions=over_layers(
            "results/tone/{corpus}/predictions/{model}/layer{layer}.parquet"
        ),
        focus=measured_by("focus"),
        occlusion=measured_by("occlusion"),
    output:
        expand(
            "results/tone/{{corpus}}/summary/{{model}}/{table}.csv",
            table=TONE_SUMMARIES,
        ),
    log:
        "results/logs/summarise_tones/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise_tones/{corpus}/{model}.tsv"
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/summarise_tones.py"),
    script:
        "../scripts/summarise_tones.py"


rule compare_tones:
    input:
        summaries=[
            f"results/tone/{corpus}/summary/{model}/{table}.csv"
            for corpus, model in TONE_PAIRS
            for table in TONE_SUMMARIES
        ],
        windows=expand("results/tone/{corpus}/windows.parquet", corpus=TONE_CORPORA),
        chosen=expand("results/tone/{corpus}/items.parquet", corpus=TONE_CORPORA),
        left_out=expand("results/tone/{corpus}/left_out.parquet", corpus=TONE_CORPORA),
        notes=sum(TONE_NOTES, []),
        published=shipped("resources/published/alignment_and_tone.csv"),
    output:
        expand("results/tables/tone/{table}.csv", table=TONE_TABLES),
    log:
        "results/logs/compare_tones.log",
    benchmark:
        "results/benchmarks/compare_tones.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/compare_tones.py"),
        corpora=TONE_CORPORA,
        tables=list(TONE_TABLES),
        notes=fixed(settings.canonical(TONE_NOTES)),
        variants=fixed(settings.canonical(STUDY.tone["variants"])),
        roles=fixed(settings.canonical(roles.roles(TONED))),
    script:
        "../scripts/compare_tones.py"


rule show_tones:
    input:
        tables=expand("results/tables/tone/{table}.csv", table=TONE_TABLES),
    output:
        [
            report(
                f"results/tables/tone/{table}.html",
                caption=f"../report/tone_{table}.rst",
                category="Tables",
                subcategory="tone",
                labels={"table": TONE_TABLES[table]},
            )
            for table in TONE_TABLES
        ],
    log:
        "results/logs/show_tones.log",
    benchmark:
        "results/benchmarks/show_tones.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/show_tables.py"),
    script:
        "../scripts/show_tables.py"
