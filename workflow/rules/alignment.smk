"""The alignment study's retrieval: which layers bring the same sentence in two languages together?

Needs results/{corpus}/utterances, segments (or aligned) and embeddings. Makes, under
results/alignment/{corpus}, the recordings that stand for each sentence, the challenge sets, and per model
the scores and ranks of each layer; results/tables/alignment over all corpora and models; and the part
of the calibration that compares the challenge sets' filter with look-alikes that are known.
"""

from workflow.dag import alignments

ALIGNED_MODELS = {name: STUDY.models[name] for name in STUDY.alignment["models"]}

ALIGNMENT_CORPORA = STUDY.alignment["corpora"]

ALIGNMENT_TABLES = {
    "retrieval": "retrieval per pair of languages and layer",
    "best": "best layer of each model",
    "contrast": "models compared on the same queries",
    "challenge": "sentences kept and dropped",
    "left_out": "sentences and recordings left out",
    "published": "published and measured",
}

ALIGNMENT_RANKS = [
    [
        f"results/alignment/{corpus}/ranks/{model}/layer{layer}.parquet"
        for model in ALIGNED_MODELS
        for layer in STUDY.layers[model]
    ]
    for corpus in ALIGNMENT_CORPORA
]

ALIGNMENT_RESULTS = expand(
    "results/tables/alignment/{table}.{format}",
    table=ALIGNMENT_TABLES if ALIGNMENT_CORPORA and ALIGNED_MODELS else [],
    format=["csv", "html"],
)

RESULTS += ALIGNMENT_RESULTS


rule choose_sentences:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
    output:
        chosen="results/alignment/{corpus}/chosen.parquet",
        left_out="results/alignment/{corpus}/left_out.parquet",
    log:
        "results/logs/choose_sentences/{corpus}.log",
    benchmark:
        "results/benchmarks/choose_sentences/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/choose_sentences.py"),
        options=fixed(settings.canonical(alignments.sentences(STUDY.alignment))),
    script:
        "../scripts/choose_sentences.py"


rule choose_challenge:
    input:
        chosen="results/alignment/{corpus}/chosen.parquet",
        segments=segments_of,
    output:
        pairs="results/alignment/{corpus}/challenge.parquet",
        lookalikes="results/alignment/{corpus}/lookalikes.parquet",
    log:
        "results/logs/choose_challenge/{corpus}.log",
    benchmark:
        "results/benchmarks/choose_challenge/{corpus}.tsv"
    conda:
        "../../envs/alignment.yaml"
    threads: 1
    resources:
        mem_mb=grow(4000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/choose_challenge.py"),
        options=fixed(settings.canonical(alignments.challenge(STUDY.alignment))),
    script:
        "../scripts/choose_challenge.py"


rule score_retrieval:
    input:
        chosen="results/alignment/{corpus}/chosen.parquet",
        challenge="results/alignment/{corpus}/challenge.parquet",
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        scores="results/alignment/{corpus}/scores/{model}/layer{layer}.parquet",
        ranks="results/alignment/{corpus}/ranks/{model}/layer{layer}.parquet",
    log:
        "results/logs/score_retrieval/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/score_retrieval/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/alignment.yaml"
    threads: STUDY.alignment["retrieval"]["threads"]
    resources:
        **gpus(lambda wildcards: STUDY.alignment["retrieval"]["gpu"]),
        mem_mb=grow(8000),
        runtime=grow(1440),
        block_mb=STUDY.alignment["retrieval"]["memory_mb"],
    params:
        *sources("workflow/scripts/score_retrieval.py"),
        options=fixed(settings.canonical(alignments.retrieval(STUDY.alignment))),
    script:
        "../scripts/score_retrieval.py"


rule summarise_retrieval:
    input:
        scores=over_layers(
            "results/alignment/{corpus}/scores/{model}/layer{layer}.parquet"
        ),
        ranks=over_layers(
            "results/alignment/{corpus}/ranks/{model}/layer{layer}.parquet"
        ),
    output:
        "results/alignment/{corpus}/summary/{model}.csv",
    log:
        "results/logs/summarise_retrieval/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise_retrieval/{corpus}/{model}.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/summarise_retrieval.py"),
    script:
        "../scripts/summarise_retrieval.py"


rule compare_retrieval:
    input:
        summaries=expand(
            "results/alignment/{corpus}/summary/{model}.csv",
            corpus=ALIGNMENT_CORPORA,
            model=ALIGNED_MODELS,
        ),
        ranks=sum(ALIGNMENT_RANKS, []),
        challenges=expand(
            "results/alignment/{corpus}/challenge.parquet", corpus=ALIGNMENT_CORPORA
        ),
        left_out=expand(
            "results/alignment/{corpus}/left_out.parquet", corpus=ALIGNMENT_CORPORA
        ),
        words=["results/tables/alignment/word_pairs.csv"]
        * bool(STUDY.alignment["words"]["models"]),
        published=shipped("resources/published/alignment_and_tone.csv"),
    output:
        expand("results/tables/alignment/{table}.csv", table=ALIGNMENT_TABLES),
    log:
        "results/logs/compare_retrieval.log",
    benchmark:
        "results/benchmarks/compare_retrieval.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(8000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/compare_retrieval.py"),
        corpora=ALIGNMENT_CORPORA,
        tables=list(ALIGNMENT_TABLES),
        ranks=fixed(settings.canonical(ALIGNMENT_RANKS)),
        hub_ids=fixed(settings.canonical(roles.hub_ids(ALIGNED_MODELS))),
        papers=fixed(
            settings.canonical(
                {name: STUDY.corpora[name]["paper"] for name in ALIGNMENT_CORPORA}
            )
        ),
    script:
        "../scripts/compare_retrieval.py"


rule show_alignment:
    input:
        tables=expand("results/tables/alignment/{table}.csv", table=ALIGNMENT_TABLES),
    output:
        [
            report(
                f"results/tables/alignment/{table}.html",
                caption=f"../report/alignment_{table}.rst",
                category="Tables",
                subcategory="alignment",
                labels={"table": ALIGNMENT_TABLES[table]},
            )
            for table in ALIGNMENT_TABLES
        ],
    log:
        "results/logs/show_alignment.log",
    benchmark:
        "results/benchmarks/show_alignment.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/show_tables.py"),
    script:
        "../scripts/show_tables.py"


rule calibrate_challenge:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        segments=over_shards("results/{corpus}/segments/{shard}.parquet"),
        truth=lambda wildcards: alignments.truth(STUDY.corpora[wildcards.corpus]),
    output:
        "results/calibration/{corpus}/challenge.parquet",
    log:
        "results/logs/calibrate_challenge/{corpus}.log",
    benchmark:
        "results/benchmarks/calibrate_challenge/{corpus}.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/calibrate_challenge.py"),
        options=fixed(settings.canonical(alignments.challenge(STUDY.alignment))),
        # Phones as they are known, and as a corpus without segments has them.
        ways=["segments", "romanised"],
    script:
        "../scripts/calibrate_challenge.py"


rule calibrate_retrieval:
    input:
        utterances=over_shards("results/{corpus}/utterances/{shard}.parquet"),
        segments=over_shards("results/{corpus}/segments/{shard}.parquet"),
        concepts=lambda wildcards: alignments.concepts(STUDY.corpora[wildcards.corpus]),
    output:
        "results/calibration/{corpus}/retrieval.parquet",
    log:
        "results/logs/calibrate_retrieval/{corpus}.log",
    benchmark:
        "results/benchmarks/calibrate_retrieval/{corpus}.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/calibrate_retrieval.py"),
        options=fixed(settings.canonical(alignments.challenge(STUDY.alignment))),
        ways=["segments", "romanised"],
    script:
        "../scripts/calibrate_retrieval.py"
