"""The alignment study's pairs of words: do words that find each other sound alike, or mean the same?

Needs results/alignment/{corpus}/chosen.parquet, segments (or aligned) or the word times of a model, and
embeddings. Makes, under results/alignment/{corpus}, the words with their times, phones and meanings, and per
model pairs and scores of each layer; results/tables/alignment and results/figures/alignment over all.
"""

from workflow.dag import words

WORD_MODELS = STUDY.alignment["words"]["models"]

WORD_TABLES = {
    "word_pairs": "pairs of words per layer, against random pairs",
    "words": "types of words across languages",
    "word_examples": "examples of pairs of words",
    "words_left_out": "words left out",
}

WORD_FIGURES = {
    "word_split": "pairs of words by layer",
    "word_similarity": "types of words by layer",
}

ALIGNMENT_WORDS = expand(
    "results/tables/alignment/{table}.{format}",
    table=WORD_TABLES if ALIGNMENT_CORPORA and WORD_MODELS else [],
    format=["csv", "html"],
)

ALIGNMENT_WORDS += expand(
    "results/figures/alignment/{figure}/{corpus}.{format}",
    figure=WORD_FIGURES,
    corpus=ALIGNMENT_CORPORA * bool(ALIGNMENT_WORDS),
    format=["svg", "png"],
)

RESULTS += ALIGNMENT_WORDS


rule choose_words:
    input:
        chosen="results/alignment/{corpus}/chosen.parquet",
        segments=segments_of,
        times=word_times,
    output:
        words="results/alignment/{corpus}/words.parquet",
        types="results/alignment/{corpus}/word_types.parquet",
        distances="results/alignment/{corpus}/word_distances.parquet",
        left_out="results/alignment/{corpus}/words_left_out.parquet",
    log:
        "results/logs/choose_words/{corpus}.log",
    benchmark:
        "results/benchmarks/choose_words/{corpus}.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/choose_words.py"),
        options=fixed(settings.canonical(words.choice(STUDY.alignment))),
    script:
        "../scripts/choose_words.py"


rule fetch_meaning:
    input:
        checkpoint=words.local_files(STUDY.alignment),
    output:
        "results/alignment/meaning.json",
    log:
        "results/logs/fetch_meaning.log",
    benchmark:
        "results/benchmarks/fetch_meaning.tsv"
    localrule: True
    conda:
        "../../envs/meaning.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(240),
    params:
        *sources("workflow/scripts/fetch_meaning.py"),
        model=fixed(settings.canonical(words.model(STUDY.alignment))),
    script:
        "../scripts/fetch_meaning.py"


rule embed_words:
    input:
        types="results/alignment/{corpus}/word_types.parquet",
        meaning=meaning_source,
    output:
        "results/alignment/{corpus}/meanings.parquet",
    log:
        "results/logs/embed_words/{corpus}.log",
    benchmark:
        "results/benchmarks/embed_words/{corpus}.tsv"
    conda:
        "../../envs/meaning.yaml"
    threads: 1
    resources:
        mem_mb=grow(6000),
        runtime=grow(120),
    params:
        *sources("workflow/scripts/embed_words.py"),
        by=STUDY.alignment["words"]["meaning"]["by"],
    script:
        "../scripts/embed_words.py"


rule pair_words:
    input:
        words="results/alignment/{corpus}/words.parquet",
        types="results/alignment/{corpus}/word_types.parquet",
        distances="results/alignment/{corpus}/word_distances.parquet",
        meanings="results/alignment/{corpus}/meanings.parquet",
        embeddings=over_shards(
            "results/{corpus}/embeddings/{model}/{shard}/layer{layer}.parquet"
        ),
    output:
        pairs="results/alignment/{corpus}/word_pairs/{model}/layer{layer}.parquet",
        scores="results/alignment/{corpus}/word_scores/{model}/layer{layer}.parquet",
        types="results/alignment/{corpus}/type_scores/{model}/layer{layer}.parquet",
    log:
        "results/logs/pair_words/{corpus}/{model}/layer{layer}.log",
    benchmark:
        "results/benchmarks/pair_words/{corpus}/{model}/layer{layer}.tsv"
    conda:
        "../../envs/alignment.yaml"
    threads: 1
    resources:
        mem_mb=grow(6000),
        runtime=grow(240),
    params:
        *sources("workflow/scripts/pair_words.py"),
        options=fixed(settings.canonical(words.pairing(STUDY.alignment))),
    script:
        "../scripts/pair_words.py"


rule summarise_words:
    input:
        pairs=over_layers(
            "results/alignment/{corpus}/word_pairs/{model}/layer{layer}.parquet"
        ),
        scores=over_layers(
            "results/alignment/{corpus}/word_scores/{model}/layer{layer}.parquet"
        ),
        types=over_layers(
            "results/alignment/{corpus}/type_scores/{model}/layer{layer}.parquet"
        ),
    output:
        expand(
            "results/alignment/{{corpus}}/word_summary/{{model}}/{table}.csv",
            table=WORD_TABLES,
        ),
    log:
        "results/logs/summarise_words/{corpus}/{model}.log",
    benchmark:
        "results/benchmarks/summarise_words/{corpus}/{model}.tsv"
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/summarise_words.py"),
        tables=list(WORD_TABLES),
        examples=STUDY.alignment["words"]["examples"],
    script:
        "../scripts/summarise_words.py"


rule compare_words:
    input:
        **{
            table: expand(
                f"results/alignment/{{corpus}}/word_summary/{{model}}/{table}.csv",
                corpus=ALIGNMENT_CORPORA,
                model=WORD_MODELS,
            )
            for table in WORD_TABLES
        },
        types=expand(
            "results/alignment/{corpus}/word_types.parquet", corpus=ALIGNMENT_CORPORA
        ),
        meanings=expand(
            "results/alignment/{corpus}/meanings.parquet", corpus=ALIGNMENT_CORPORA
        ),
        left_out=expand(
            "results/alignment/{corpus}/words_left_out.parquet",
            corpus=ALIGNMENT_CORPORA,
        ),
    output:
        expand("results/tables/alignment/{table}.csv", table=WORD_TABLES),
    log:
        "results/logs/compare_words.log",
    benchmark:
        "results/benchmarks/compare_words.tsv"
    localrule: True
    conda:
        "../../envs/alignment.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(60),
    params:
        *sources("workflow/scripts/compare_words.py"),
        corpora=ALIGNMENT_CORPORA,
        tables=list(WORD_TABLES),
    script:
        "../scripts/compare_words.py"


rule show_words:
    input:
        tables=expand("results/tables/alignment/{table}.csv", table=WORD_TABLES),
    output:
        [
            report(
                f"results/tables/alignment/{table}.html",
                caption=f"../report/alignment_{table}.rst",
                category="Tables",
                subcategory="alignment",
                labels={"table": WORD_TABLES[table]},
            )
            for table in WORD_TABLES
        ],
    log:
        "results/logs/show_words.log",
    benchmark:
        "results/benchmarks/show_words.tsv"
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


rule draw_alignment_word_split:
    input:
        table="results/tables/alignment/word_pairs.csv",
    output:
        svg=report(
            "results/figures/alignment/word_split/{corpus}.svg",
            caption="../report/alignment_word_split_figure.rst",
            category="Figures",
            subcategory="alignment",
            labels={"figure": "pairs of words by layer: {corpus}"},
        ),
        png="results/figures/alignment/word_split/{corpus}.png",
    log:
        "results/logs/draw_alignment_word_split/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_alignment_word_split/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_alignment_word_split.py"),
    script:
        "../scripts/draw_alignment_word_split.py"


rule draw_alignment_word_similarity:
    input:
        table="results/tables/alignment/words.csv",
    output:
        svg=report(
            "results/figures/alignment/word_similarity/{corpus}.svg",
            caption="../report/alignment_word_similarity_figure.rst",
            category="Figures",
            subcategory="alignment",
            labels={"figure": "types of words by layer: {corpus}"},
        ),
        png="results/figures/alignment/word_similarity/{corpus}.png",
    log:
        "results/logs/draw_alignment_word_similarity/{corpus}.log",
    benchmark:
        "results/benchmarks/draw_alignment_word_similarity/{corpus}.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_alignment_word_similarity.py"),
    script:
        "../scripts/draw_alignment_word_similarity.py"
