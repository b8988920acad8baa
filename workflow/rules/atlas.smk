"""The page that brings the studies together: one row per model, its layers in every study side by side.

Needs the tables over models of the studies that are configured. Makes results/tables/atlas.csv, and
results/atlas.html, which is one file and needs no network. A study that is not configured is left out.
"""

# Tables that are taken of the studies whose tables go over all corpora.
ATLAS_TABLES = {
    study: names
    for study, names, made in (
        ("kinematics", ["transfer", "contrast"], KINEMATICS_RESULTS),
        ("tone", ["layers", "folds"], TONE_PAIRS),
        ("alignment", ["retrieval"], ALIGNMENT_RESULTS),
    )
    if made
}

ATLAS_CORPORA = STUDY.articulation["corpora"]

ATLAS = ["results/atlas.html", "results/tables/atlas.csv"]
ATLAS *= bool(ATLAS_TABLES or ATLAS_CORPORA)

RESULTS += ATLAS


rule collect_atlas:
    input:
        **{
            f"{study}_{name}": f"results/tables/{study}/{name}.csv"
            for study, names in ATLAS_TABLES.items()
            for name in names
        },
        layers=expand("results/tables/{corpus}/layers.csv", corpus=ATLAS_CORPORA),
        speakers=expand("results/tables/{corpus}/E5_speakers.csv", corpus=ATLAS_CORPORA),
    output:
        "results/tables/atlas.csv",
    log:
        "results/logs/collect_atlas.log",
    benchmark:
        "results/benchmarks/collect_atlas.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/collect_atlas.py"),
        models=fixed(
            settings.canonical(
                [  # a list: it keeps the order of the config
                    {
                        "name": name,
                        "role": role,
                        "depth": STUDY.models[name].get("depth", 0),
                    }
                    for name, role in roles.roles(STUDY.models).items()
                ]
            )
        ),
        tables=fixed(settings.canonical(ATLAS_TABLES)),
        corpora=ATLAS_CORPORA,
        probes=STUDY.articulation["probes"],
    script:
        "../scripts/collect_atlas.py"


rule draw_atlas:
    input:
        table="results/tables/atlas.csv",
        # What the page is made from, besides code.
        parts=[
            shipped(f"phonoscope/figures/atlas_page/page.{part}")
            for part in ("html", "css", "js")
        ],
    output:
        report(
            "results/atlas.html",
            caption="../report/atlas.rst",
            category="Atlas",
            labels={"page": "all studies, model by model"},
        ),
    log:
        "results/logs/draw_atlas.log",
    benchmark:
        "results/benchmarks/draw_atlas.tsv"
    localrule: True
    conda:
        "../../envs/studies.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        *sources("workflow/scripts/draw_atlas.py"),
    script:
        "../scripts/draw_atlas.py"
