"""What the DAG needs to know of a configuration: shards, layers, and the options each rule is given."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from phonoscope.corpora.readers import WITHOUT_EMA
from phonoscope.corpora.shards import shard_names, speakers_of
from phonoscope.corpora.sheets import read_speakers
from phonoscope.downloads.archives import KINDS
from phonoscope.encoders import lease
from phonoscope.errors import InputError
from workflow.dag import (
    aligners,
    alignments,
    calibrations,
    decoders,
    kinematics,
    kinematics_models,
    tones,
    trainings,
    words,
)
from workflow.dag.configuration import checked, chosen

# Folders of results/ that are not corpora.
RESERVED = (
    "tables",
    "figures",
    "models",
    "logs",
    "benchmarks",
    "articulation",
    "kinematics",
    "tone",
    "alignment",
    "training",
    "calibration",
    "aligners",
)

# Which rule an option of the articulation study reaches. What is in none of these shapes the DAG itself.
FILTER = ("rate", "cutoff_hz", "order", "zscore", "min_sd_mm", "max_missing", "max_length_difference_s")
SCORE = (
    "probes",
    "splits",
    "experiments",
    "training_seconds",
    "test_share",
    "leave_out",
    "alphas",
    "frame_alignment",
    "shifts_s",
    "seed",
)

# What lists a corpus's recordings and what only its EMA needs: a corrected sensor costs no encoding.
RECORDINGS = (
    "reader",
    "path",
    "hub",
    "archive",
    "speak",
    "files",
    "name_pattern",
    "recordings",
    "tiers",
    "transcription",
    "on_error",
    "shards",
)
CHANNELS = ("sensors", "axes", "ema_rate", "mm_per_unit")

# Likewise of the embeddings: what decides a hidden state. The rest decides speed and memory.
EMBED = ("dtype", "window", "overlap")


def canonical(value):
    """``value`` as JSON whose text does not depend on the order of keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Settings:
    """A checked configuration.

    Attributes
    ----------
    corpora, models : dict of str to dict
        As configured, defaults filled in.
    embeddings, articulation, kinematics, tone, alignment, training, calibration, aligners : dict
    keep_embeddings, offline : bool
    shards : dict of str to dict of str to list of dict
        Corpus to shard to rows of the speaker sheet.
    layers : dict of str to list of int
        Model to the layers that are stored and scored.
    """

    corpora: dict
    models: dict
    embeddings: dict
    articulation: dict
    kinematics: dict
    tone: dict
    alignment: dict
    training: dict
    calibration: dict
    aligners: dict
    keep_embeddings: bool
    offline: bool
    shards: dict
    layers: dict

    def corpus(self, name, keys):
        """The keys of a corpus block that are among ``keys``, and its name, as canonical JSON."""
        block = self.corpora[name]
        return canonical({"name": name} | {key: block[key] for key in keys if key in block})

    def speakers(self, corpus, shard, without=()):
        """The speaker rows of a shard, without some columns, as canonical JSON."""
        rows = self.shards[corpus][shard]
        return canonical([{key: row[key] for key in row if key not in without} for row in rows])

    def model(self, name):
        """The model block as canonical JSON, with its name."""
        return canonical({"name": name} | self.models[name])

    def option(self, section, keys):
        """The options ``keys`` of a section of the config as canonical JSON."""
        return canonical({key: getattr(self, section)[key] for key in keys})

    def trained(self, name):
        """The options of a training that decide its result, as canonical JSON."""
        block = self.training[name]
        return canonical({key: block[key] for key in block if key not in trainings.NEUTRAL})

    def encodes_on(self, model):
        """What the config says of a GPU for jobs that run ``model``: True, False or ``auto``."""
        return self.embeddings["gpu"] if self.models[model]["encoder"] == "transformers" else False

    def aligns_on(self, corpus):
        """What the config says of a GPU for jobs that align ``corpus``."""
        return self.aligners[self.corpora[corpus]["align"]["aligner"]]["gpu"]


def gpus(wanted, local=True):
    """How many GPUs a job asks for, 0 or 1. No result depends on it.

    Parameters
    ----------
    wanted : bool or "auto"
        ``auto`` is one where there is one.
    local : bool
        Whether jobs run on this machine: it does not know what the nodes of a cluster have.
    """
    return int(wanted is True or (wanted == "auto" and local and bool(lease.devices())))


def load(config, source):
    """Check ``config`` and return its :class:`Settings`.

    Parameters
    ----------
    config : dict
        As read from YAML.
    source : str
        Where it was read from, for messages.

    Raises
    ------
    InputError
    """
    config = checked(config, "config", source)
    for name, corpus in config["corpora"].items():
        _check_corpus(name, corpus, source)
    _check_options(config, source)
    trainings.check(config, source)
    layers = {name: _layers(name, model, source) for name, model in config["models"].items()}
    for model in config["models"].values():
        if "trained" in model:
            model["path"] = trainings.folder(model["trained"])
    study = config["articulation"]
    moving = [name for name, corpus in config["corpora"].items() if corpus["sensors"]]
    study["corpora"] = moving if study["corpora"] == "all" else study["corpora"]
    for kind in ("corpora", "models"):
        study[kind] = chosen(study[kind], config[kind], f"articulation.{kind}", source)
    if still := [name for name in study["corpora"] if name not in moving]:
        raise InputError(
            f"{still[0]} has no sensors: there is no articulation to study",
            path=source,
            row="articulation.corpora",
            fix=f"leave it out, or give corpora.{still[0]} its sensors",
        )
    kinematics.check(config, source)
    kinematics_models.check(config, source)
    calibrations.check(config, source)
    aligners.check(config, source)
    tones.check(config, source)
    alignments.check(config, source)
    decoders.check(config, source)
    words.check(config, source)
    shards = {name: _shards(name, corpus, source) for name, corpus in config["corpora"].items()}
    return Settings(shards=shards, layers=layers, **config)


def _check_corpus(name, corpus, source):
    row = f"corpora.{name}"
    if name in RESERVED:
        raise InputError(
            f"a corpus cannot be named {name}: results/{name} holds something else",
            path=source,
            row=row,
            fix=f"choose a name other than {', '.join(RESERVED)}",
        )
    axes = corpus["axes"]
    if axes["x"][-1] == axes["z"][-1]:
        raise InputError(
            f"x and z are both the file's {axes['x'][-1]}",
            path=source,
            row=f"{row}.axes",
            fix="name the file's axis to the front as x and the one that points up as z",
        )
    if sum(key in corpus for key in ("path", "hub", "archive", "speak")) != 1:
        raise InputError(
            "give the corpus a path, a hub id, an archive or something to speak",
            path=source,
            row=row,
            fix="set one of path, hub, archive and speak",
        )
    if "archive" in corpus:
        _check_archive(corpus["archive"]["url"], row, source)
    _check_reader(corpus, row, source)


def _check_archive(url, row, source):
    """What is in a config is in results too: no passwords."""
    address = urlsplit(url)
    if "@" in address.netloc:
        raise InputError(
            "an address with a user or password would be kept in results",
            path=source,
            row=f"{row}.archive.url",
            fix="fetch and unpack the archive yourself and set `path`",
        )
    if not address.path.lower().endswith(KINDS):
        raise InputError(
            "this is no archive that can be unpacked",
            path=source,
            row=f"{row}.archive.url",
            fix=f"use one of {', '.join(KINDS)}; or unpack it yourself and set `path`",
        )


def _check_reader(corpus, row, source):
    """What a reader cannot give, and what would be forgotten without a word."""
    reader = corpus["reader"]
    if "speak" in corpus and reader != "table":
        raise InputError(
            f"what is spoken is not read by {reader}", path=source, row=row, fix="set reader: table"
        )
    if corpus["sensors"] and reader in WITHOUT_EMA:
        raise InputError(
            f"the reader {reader} has no EMA", path=source, row=f"{row}.sensors", fix="leave sensors out"
        )
    if "ema" in corpus.get("files", {}) and not corpus["sensors"]:
        raise InputError(
            "files has ema, but there are no sensors to read from it",
            path=source,
            row=row,
            fix="add sensors, or leave ema out of files to find the recordings by their audio",
        )


def _check_options(config, source):
    """Options that do not go together: better said before hours of encoding than after."""
    study, states = config["articulation"], config["embeddings"]
    if study["frame_alignment"] == "index" and study["rate"] != 50:
        raise InputError(
            f"frame_alignment: index pairs EMA samples with frames one to one, but rate is {study['rate']:g}",
            path=source,
            row="articulation",
            fix="set rate: 50, the frame rate of all encoders here, or frame_alignment: time",
        )
    if states["overlap"] >= states["window"]:
        raise InputError(
            f"windows of {states['window']:g} s cannot overlap by {states['overlap']:g} s",
            path=source,
            row="embeddings",
            fix="make overlap smaller than window",
        )


def _layers(name, model, source):
    """The layers to store, in order; all of 0 to depth unless the config lists some."""
    row = f"models.{name}"
    if model["encoder"] == "transformers" and sum(key in model for key in ("hub", "path", "trained")) != 1:
        raise InputError(
            "give the model a hub id, a path or a training",
            path=source,
            row=row,
            fix="set one of hub, path and trained",
        )
    if "hub" in model and "revision" not in model:
        raise InputError(
            "a model of the hub needs a revision",
            path=source,
            row=row,
            fix="add revision: main, or a commit; main is resolved to a commit when the model is fetched",
        )
    depth = model.get("depth", 0)
    if model["layers"] == "all":
        return list(range(depth + 1))
    if absent := [layer for layer in model["layers"] if layer > depth]:
        raise InputError(
            f"layer {absent[0]} does not exist in a model of depth {depth}",
            path=source,
            row=f"{row}.layers",
            fix=f"list layers from 0 to {depth}",
        )
    return sorted(model["layers"])


def _shards(name, corpus, source):
    rows = {row["speaker"]: row for row in read_speakers(corpus["speakers"])} if corpus["speakers"] else {}
    how = corpus["shards"]
    try:
        names = shard_names(how, list(rows))
    except InputError as error:
        raise InputError(
            error.message, path=source, row=f"corpora.{name}.{error.row}", fix=error.fix
        ) from error
    return {shard: [rows[speaker] for speaker in speakers_of(shard, how, list(rows))] for shard in names}


def local_files(folder):
    """The files of a local checkpoint that decide its hidden states, as paths, sorted."""
    return sorted(str(path) for pattern in ("*.json", "*.safetensors") for path in Path(folder).glob(pattern))
