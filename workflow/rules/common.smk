"""Names and helpers that the rules share.

Parameters reach the rules as canonical JSON: a string that says what it means and that is the same
however the keys of the config are ordered. They are given by functions, because Snakemake would
take the braces in a plain string for wildcards.
"""

from phonoscope.encoders import lease
from phonoscope.studies import roles
from workflow.dag import calibrations, code, places, trainings, words
from workflow.dag.demands import grow

if workflow.is_main_process:
    try:
        places.check_records()
        places.check_times()
    except InputError as error:
        raise WorkflowError(str(error)) from None


onstart:
    try:
        places.check_writable()
    except InputError as error:
        raise WorkflowError(str(error)) from None


# By which jobs notice that this process was killed, and end.
os.environ.update(PHONOSCOPE_STARTED_BY=str(os.getpid()))

if STUDY.offline:
    # The hub's own switch, which every job and every library sees.
    os.environ.update(HF_HUB_OFFLINE="1")

if workflow.local_exec and lease.devices() and "gpu" not in workflow.global_resources:
    # As many jobs at a time as there are GPUs, unless --resources gpu=N says otherwise.
    workflow.register_resource("gpu", len(lease.devices()))

# Models that the articulation study probes.
STUDIED = {name: STUDY.models[name] for name in STUDY.articulation["models"]}

EXPERIMENTS = set(STUDY.articulation["experiments"])

HUB_CORPORA = [
    name for name, corpus in STUDY.corpora.items() if {"hub", "archive"} & set(corpus)
]

SPOKEN_CORPORA = [name for name, corpus in STUDY.corpora.items() if "speak" in corpus]

# The tables that are made per model and then over models.
SUMMARIES = ["E1", "layers", "E2", "E3", "E4", "E5", "E5_speakers", "speakers", "leak"]


def sources(script):
    """The script and the phonoscope modules that decide its result, as parameters (see workflow/dag/code.py)."""
    return code.sources(script, HOME)


def shipped(path):
    """A file that comes with the workflow, wherever it is run from."""
    return os.path.relpath(HOME / path) if Path.cwd() == HOME else str(HOME / path)


def fixed(value):
    """A parameter that does not depend on wildcards."""
    return lambda wildcards: value


def gpus(wanted):
    """Resources of jobs that can use a GPU, by what the config says of it: a function of wildcards."""
    return {
        "gpu": lambda wildcards: settings.gpus(wanted(wildcards), workflow.local_exec),
        "gpu_needed": lambda wildcards: int(wanted(wildcards) is True),
    }


# Of jobs that run a model under study.
ENCODING_GPU = gpus(lambda wildcards: STUDY.encodes_on(wildcards.model))


def hidden_states(pattern):
    """Mark the files of hidden states for deletion after use, if they are not to be kept."""
    return pattern if STUDY.keep_embeddings else temp(pattern)


def over_shards(pattern):
    """An input function: ``pattern`` for every shard of the corpus."""
    return lambda wildcards: expand(
        pattern, shard=STUDY.shards[wildcards.corpus], allow_missing=True
    )


def segments_of(wildcards):
    """Segments of all shards: aligned ones where the corpus has `align`, else those it came with."""
    kind = "aligned" if "align" in STUDY.corpora[wildcards.corpus] else "segments"
    return over_shards(f"results/{{corpus}}/{kind}/{{shard}}.parquet")(wildcards)


def over_layers(pattern):
    """An input function: ``pattern`` for every stored layer of the model."""
    return lambda wildcards: expand(
        pattern, layer=STUDY.layers[wildcards.model], allow_missing=True
    )


def measured_by(part):
    """An input function: what `focus` or `occlusion` of the tone study made of the model, if anything."""
    return lambda wildcards: (
        expand(
            f"results/tone/{{corpus}}/{part}/{{model}}/{{shard}}.parquet",
            shard=STUDY.shards[wildcards.corpus],
            allow_missing=True,
        )
        if wildcards.model in STUDY.tone[part]["models"]
        else []
    )


def over_models(pattern):
    """``pattern`` for every model under study, in the order of the config."""
    return expand(pattern, model=STUDIED, allow_missing=True)


def over_models_and_shards(pattern):
    """An input function: ``pattern`` for every model under study and shard of the corpus."""
    return lambda wildcards: expand(
        pattern, model=STUDIED, shard=STUDY.shards[wildcards.corpus], allow_missing=True
    )


def corpus_files(wildcards):
    """What a corpus's shards wait for: the fetched or spoken corpus, the sheet of recordings."""
    made = wildcards.corpus in HUB_CORPORA + SPOKEN_CORPORA
    return ["results/{corpus}/source.json"] * made + [
        path for path in [STUDY.corpora[wildcards.corpus]["recordings"]] if path
    ]


def checkpoint_files(wildcards):
    """The files of a local checkpoint; a model of the hub is pinned by its revision instead."""
    model = STUDY.models[wildcards.model]
    if "trained" in model:
        return [f"{model['path']}/{name}" for name in trainings.LEFT]
    return settings.local_files(model["path"]) if "path" in model else []


def training_tables(kind):
    """An input function: the tables ``kind`` of all corpora that a training learns from."""
    return lambda wildcards: [
        f"results/{corpus}/{kind}/{shard}.parquet"
        for corpus in STUDY.training[wildcards.training]["corpora"]
        for shard in STUDY.shards[corpus]
    ]


def synthetic_utterances(wildcards):
    """The utterances that a shipped corpus of articulatory synthesis is made of."""
    from phonoscope.corpora.synthetic import ema_plan

    rows = ema_plan.utterances(ema_plan.plan_of(wildcards.spoken))
    return [
        f"results/{wildcards.spoken}/utterances/{row['utterance_id']}.npz"
        for row in rows
    ]


def starting_point(wildcards):
    """What the training starts from, as an input file."""
    file = trainings.start({"training": STUDY.training}, wildcards.training)
    return [file] if file else []


def aligner_files(wildcards):
    """The files of the aligner that decide what it says."""
    folder = calibrations.aligner_folder(STUDY.calibration)
    if "trained" in STUDY.calibration["aligner"]:
        return [f"{folder}/{name}" for name in trainings.LEFT]
    return settings.local_files(folder) or [f"{folder}/config.json"]


def aligner_checkpoint(wildcards):
    """The files of an aligner that is on this machine."""
    aligner = STUDY.aligners[wildcards.aligner]
    if "trained" in aligner:
        return [f"{aligner['path']}/{name}" for name in trainings.LEFT]
    return settings.local_files(aligner["path"]) if "path" in aligner else []


def word_times(wildcards):
    """The tables that say when words were said."""
    times = STUDY.alignment["words"]["times"]
    if times == words.SEGMENTS:
        return segments_of(wildcards)
    return f"results/alignment/{{corpus}}/word_times/{times}.parquet"


def meaning_source(wildcards):
    """What says what words mean: the fetched model, or the list of concepts."""
    if words.by_model(STUDY.alignment):
        return "results/alignment/meaning.json"
    return STUDY.alignment["words"]["meaning"]["path"]


def results_among(*folders, suffix=""):
    """Files of the default target in these folders of results."""
    # Of all rules, when all are known.
    return lambda wildcards: [
        path
        for path in map(str, rules.all.input)
        if path.startswith(tuple(f"results/{folder}/" for folder in folders))
        and path.endswith(suffix)
    ]
