"""What a model is, read from its config.json alone: family, number of blocks, layers it can give."""

from pathlib import Path

from phonoscope.errors import InputError

FAMILIES = ("wav2vec2", "hubert", "wavlm", "data2vec-audio", "unispeech-sat", "wav2vec2-bert", "whisper")
BASELINES = ("mel", "mfcc")


def display_name(model):
    """Name of a model for messages: its key in the config, else its hub id, folder or encoder."""
    return str(model.get("name") or model.get("hub") or model.get("path") or model.get("encoder"))


def read_config(folder, name):
    """The transformers config in ``folder``; no weights are touched and no remote code is run.

    Raises
    ------
    InputError
        Where there is no config.json, it cannot be read, or its family is not supported.
    """
    from transformers import AutoConfig

    path = Path(folder) / "config.json"
    if not path.is_file():
        raise InputError(
            f"model {name} has no config.json", path=folder, fix="give the folder that holds config.json"
        )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"the architecture of model {name} cannot be read ({error})", path=path) from error
    if config.model_type not in FAMILIES:
        raise InputError(
            f"model {name} is a {config.model_type}, which is not supported",
            path=path,
            fix=f"use one of {', '.join(FAMILIES)}",
        )
    return config


def depth_of(config):
    """Number of transformer blocks in the encoder that ``config`` describes."""
    return config.encoder_layers if config.model_type == "whisper" else config.num_hidden_layers


def check_depth(model, depth):
    """Compare the number of blocks given in the workflow's config with the model's own.

    Raises
    ------
    InputError
        Naming the model, its number of blocks and the value to set.
    """
    declared = model.get("depth")
    if declared is not None and int(declared) != depth:
        raise InputError(
            f"model {display_name(model)} has {depth} transformer blocks, not {declared}",
            row="depth",
            fix=f"set depth: {depth}",
        )


def resolve_layers(model, depth):
    """The layers asked for, as a sorted list of ints from 0 (before block 1) to ``depth``.

    Raises
    ------
    InputError
        Where a layer is asked for that the model does not have.
    """
    asked = model.get("layers", "all")
    if asked == "all" or asked is None:
        return list(range(depth + 1))
    layers = sorted({int(layer) for layer in asked})
    if not layers:
        raise InputError(
            f"no layer of model {display_name(model)} is asked for", row="layers", fix="set layers: all"
        )
    if beyond := [layer for layer in layers if not 0 <= layer <= depth]:
        raise InputError(
            f"model {display_name(model)} has no layer {beyond[0]}: it has {depth} transformer blocks",
            row="layers",
            fix=f"ask for layers from 0 (what enters the first block) to {depth}",
        )
    return layers
