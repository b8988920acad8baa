"""A checkpoint with a new head, and what is saved beside it."""

from phonoscope.errors import InputError
from phonoscope.training.data import RATE_HZ
from phonoscope.training.pretrain import TINY


def build(kind, job, changes, seed, mask_time_prob=0.0):
    """A model whose body is that of ``job.base`` and whose head is random.

    Parameters
    ----------
    kind : str
        CTC or AudioClassification: which of transformers' Auto classes.
    job : job.Job
        ``base``: folder of a wav2vec 2.0, HuBERT or WavLM checkpoint; without one the body is
        :data:`pretrain.TINY`, changed by the option ``architecture``, with random weights.
    changes : dict
        Of the config.
    seed : int
        Of what is random.
    mask_time_prob : float
        Share of frames at which a masked span begins in training.

    Returns
    -------
    transformers.PreTrainedModel
        On the GPU, if there is one.

    Raises
    ------
    InputError
        Where the folder has no such model, no safetensors, or not all of its body.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    changes = {
        **changes,
        "apply_spec_augment": mask_time_prob > 0,
        "mask_time_prob": mask_time_prob,
        "mask_feature_prob": 0.0,
    }
    auto, base = getattr(transformers, f"AutoModelFor{kind}"), job.base
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(seed)
    if base is None:
        architecture = job.options.get("architecture") or {}
        return auto.from_config(transformers.HubertConfig(**{**TINY, **architecture, **changes})).to(device)
    try:
        config = transformers.AutoConfig.from_pretrained(base, local_files_only=True, **changes)
        model, report = auto.from_pretrained(
            base,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            # A head of another vocabulary is replaced.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        raise InputError(f"no model to start from ({error})", path=base, fix="check `base`") from error
    _check(model, report, base)
    return model.to(device)


def _check(model, report, base):
    """Refuse a body that is of another kind, or not whole; a new head is what is wanted."""
    if not hasattr(body(model), "feature_extractor"):
        raise InputError(f"a {model.config.model_type} has no front end of convolutions", path=base)
    absent = sorted(
        key
        for key in report["missing_keys"]
        if key.startswith(f"{model.base_model_prefix}.") and not key.endswith("masked_spec_embed")
    )
    if absent:
        raise InputError(f"the checkpoint lacks {len(absent)} weights, {absent[0]} among them", path=base)


def body(model):
    """The wav2vec 2.0-like model below the head."""
    return getattr(model, model.base_model_prefix)


def finished(model):
    """``model`` for use: on the CPU, in evaluation mode, without masking and what only masking needs."""
    inner = body(model)
    for part in (model.config, inner.config):
        part.apply_spec_augment, part.mask_time_prob, part.layerdrop = False, 0.0, 0.0
        part._name_or_path = ""
    if hasattr(inner, "masked_spec_embed"):
        del inner.masked_spec_embed
    return model.cpu().eval()


def feature_extractor(model):
    """What turns audio into what these recipes train on: mean 0, variance 1; a mask where it is exact."""
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(
        sampling_rate=RATE_HZ,
        do_normalize=True,
        return_attention_mask=model.config.feat_extract_norm == "layer",
    )
