"""From a model's entry in the config to an encoder that can be run."""

from pathlib import Path

from phonoscope.encoders.architecture import (
    BASELINES,
    check_depth,
    depth_of,
    display_name,
    read_config,
    resolve_layers,
)
from phonoscope.errors import InputError


def load(model, folder=None, device="cpu"):
    """Make the encoder that ``model`` describes.

    Parameters
    ----------
    model : dict
        ``encoder``: transformers, mel or mfcc; ``depth``; ``layers``: all or a list; ``init``:
        pretrained or random, with ``seed``; ``precision`` of the forward pass on a GPU (a CPU
        always computes in float32); ``final_norm``: raw or normed, where normed gives the last
        layer as it leaves the model's final normalisation (post-norm models have none: no change).
    folder : path-like, optional
        Where config.json and the safetensors are; default: the model's ``path``.
    device : str
        ``cpu``, ``cuda`` or ``auto`` (a GPU if there is one).

    Returns
    -------
    encoder
        With name, depth, layers, dim, rate (Hz), timebase, frames(n_samples) and
        encode(list of float32 arrays of shape (n_samples,)).

    Raises
    ------
    InputError
        Where the folder, the architecture, depth, layers or weights do not fit; names the fix.
    """
    kind = model.get("encoder", "transformers")
    if kind in BASELINES:
        from phonoscope.encoders.baselines import SpectralEncoder

        check_depth(model, 0)
        return SpectralEncoder(model)
    if kind != "transformers":
        raise InputError(
            f"encoder {kind!r} of model {display_name(model)} is not known",
            fix="use transformers, mel or mfcc",
        )
    folder = folder or model.get("path")
    if folder is None:
        raise InputError(f"model {display_name(model)} has no folder", fix="give hub: or path:")
    return _transformer(model, Path(folder), resolved(device))


def resolved(device):
    """``device``, or for ``auto`` a GPU if there is one."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def _transformer(model, folder, device):
    from phonoscope.encoders import transformer

    name = display_name(model)
    config = read_config(folder, name)
    depth = depth_of(config)
    check_depth(model, depth)
    layers = resolve_layers(model, depth)
    network = _untrained(config, model) if model.get("init") == "random" else _trained(folder, name)
    kind = transformer.WaveformEncoder
    if config.model_type == "whisper":
        network, kind = network.encoder, transformer.WhisperEncoder
    elif config.model_type == "wav2vec2-bert":
        kind = transformer.FilterbankEncoder
    return kind(
        name,
        network,
        layers,
        depth,
        _feature_extractor(folder, config),
        final_norm=model.get("final_norm", "raw"),
        device=device,
        precision=model.get("precision", "float32"),
    )


def _untrained(config, model):
    import torch
    from transformers import AutoModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(model.get("seed") or 0))
        return AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False)


def _trained(folder, name):
    from transformers import AutoModel

    network, absent = pretrained(AutoModel, folder, name, ", or set init: random")
    # The mask vector is unused here.
    if absent := [key for key in absent if not key.endswith("masked_spec_embed")]:
        raise incomplete(folder, name, absent, ", or set init: random")
    return network


def pretrained(kind, folder, name, instead=""):
    """A network from local safetensors.

    Parameters
    ----------
    kind : type
        Of transformers, with ``from_pretrained``.
    folder : pathlib.Path
    name : str
        Of the model, for messages.
    instead : str
        What else a user could do, for the fix.

    Returns
    -------
    network : torch.nn.Module
        float32.
    absent : list of str
        Weights that the checkpoint lacks: transformers has filled them with random numbers.

    Raises
    ------
    InputError
    """
    import torch
    from safetensors import SafetensorError

    if not any(folder.glob("*.safetensors")):
        raise InputError(
            f"model {name} has no safetensors, the only weights that are loaded",
            path=folder,
            fix=f"save its weights again as safetensors (transformers: save_pretrained){instead}",
        )
    try:
        network, report = kind.from_pretrained(
            folder,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, RuntimeError, ValueError, SafetensorError) as error:
        raise InputError(f"the weights of model {name} cannot be loaded ({error})", path=folder) from error
    return network, sorted(report["missing_keys"])


def incomplete(folder, name, absent, instead=""):
    """The error for a checkpoint that lacks the weights ``absent``."""
    return InputError(
        f"the checkpoint of model {name} lacks {len(absent)} weights, {absent[0]} among them",
        path=folder,
        fix=f"use a complete checkpoint{instead}",
    )


def _feature_extractor(folder, config):
    from transformers import (
        AutoFeatureExtractor,
        SeamlessM4TFeatureExtractor,
        Wav2Vec2FeatureExtractor,
        WhisperFeatureExtractor,
    )

    if (folder / "preprocessor_config.json").is_file():
        return AutoFeatureExtractor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if config.model_type == "whisper":
        return WhisperFeatureExtractor(feature_size=config.num_mel_bins)
    return (
        SeamlessM4TFeatureExtractor() if config.model_type == "wav2vec2-bert" else Wav2Vec2FeatureExtractor()
    )
