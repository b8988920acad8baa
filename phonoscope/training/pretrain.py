"""Pre-train a HuBERT: the recipe of Hsu et al. (2021, arXiv 2106.07447), small enough for one core.

Cluster identities of MFCC frames are predicted from masked audio; half-way the targets are replaced by
clusters of a middle layer's hidden states. Unlike the paper, the second iteration continues from the first
one's weights (with a new output layer), and predictions at frames that are not masked count by half.
"""

import logging
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from phonoscope import tables
from phonoscope.errors import InputError
from phonoscope.training.data import RATE_HZ, Drawn, Sounds
from phonoscope.training.job import Trained
from phonoscope.training.runs import run, schedule

RECEPTIVE_FIELD, HOP = 400, 320
TINY = {
    "hidden_size": 96,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 384,
    "conv_dim": (32, 48, 64, 64, 64, 80, 80),
    "feat_extract_norm": "group",
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "hidden_dropout": 0.05,
    "attention_dropout": 0.05,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "layerdrop": 0.0,
    "mask_time_prob": 0.08,
    "mask_time_length": 10,
}
FITTED, HELD_OUT_CROPS, HELD_OUT_SEED = 60_000, 32, 2**31 - 1


@dataclass(frozen=True)
class Recipe:
    """What HuBERT's recipe leaves open.

    Attributes
    ----------
    crop_s : float
        Length of the crops, seconds; shorter recordings are left out.
    clusters : tuple of int
        Number of k-means clusters of the first and the second iteration.
    target_layer : int
        Layer whose states are clustered for the second iteration.
    unmasked_weight : float
        Weight of the loss at frames that are not masked.
    temperature : float
        Of the cosine similarities between states and cluster embeddings.
    code_dim : int
        Width of the cluster embeddings.
    """

    crop_s: float = 2.5
    clusters: tuple = (100, 100)
    target_layer: int = 3
    unmasked_weight: float = 0.5
    temperature: float = 0.1
    code_dim: int = 64


def train(job):
    """Run the recipe for a :class:`phonoscope.training.job.Job`, on its splits train and dev.

    Every iteration has its own warm-up and decay. The log says which, and the accuracy at masked frames.

    Returns
    -------
    phonoscope.training.job.Trained
        The held-out loss is that of predicting the clusters of masked frames of split dev; chance is the loss
        of one who knows how common each cluster is, and nothing else.
    """
    import torch
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    options, whole = job.options, schedule(job.options)
    recipe = Recipe(**{each.name: options[each.name] for each in fields(Recipe) if each.name in options})
    torch.manual_seed(whole.seed)
    sounds, others = (_long_enough(job.rows[split], recipe.crop_s) for split in ("train", "dev"))
    model = HubertModel(HubertConfig(**(TINY | (options.get("architecture") or {}))))
    log, half, held_out = [], whole.steps // 2, None
    for iteration, steps in enumerate((half, whole.steps - half)):
        part = replace(whole, steps=steps, seed=whole.seed + iteration)
        rows, held_out = _iterate(model, (sounds, others), recipe, iteration, part, job)
        start = log[-1]["seconds"] if log else 0
        log += [
            row | {"step": row["step"] + iteration * half, "seconds": start + row["seconds"]} for row in rows
        ]
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=RATE_HZ, do_normalize=True)
    return Trained(ready(model), [extractor], log, [held_out] if held_out else [])


def _iterate(model, sounds, recipe, iteration, part, job):
    """One iteration over fixed targets: its log, and what it came to on held-out recordings, if any."""
    import torch

    clusters, folder = recipe.clusters[iteration], Path(job.work) / f"iteration{iteration + 1}"
    targets = _targets(folder / "targets.npz", model if iteration else None, sounds, recipe, iteration, job)
    logging.info("iteration %d: %d clusters of %d frames", iteration + 1, clusters, sum(map(len, targets[0])))
    torch.manual_seed(part.seed)
    network = _network(model, recipe, clusters)
    train, held_out = (_crops(*each, model.config, recipe) for each in zip(sounds, targets, strict=True))
    rows = run(
        network,
        Drawn(train, part.steps * part.batch, part.seed),
        part,
        folder,
        held_out=Drawn(held_out, HELD_OUT_CROPS, HELD_OUT_SEED) if len(sounds[1]) else None,
        threads=job.threads,
    )
    log = [row | {"iteration": iteration + 1} for row in rows]
    if not len(sounds[1]):
        return log, None
    crops = [held_out(np.random.default_rng([HELD_OUT_SEED, index])) for index in range(4 * HELD_OUT_CROPS)]
    return log, _measured(network, crops, targets[0])


def _targets(path, model, sounds, recipe, iteration, job):
    """Cluster identities per recording, found once: k-means need not number them alike on another machine."""
    if not path.is_file():
        features = [_features(model, each, recipe) for each in sounds]
        found = clustered(*features, recipe.clusters[iteration], job.options.get("seed", 0))
        with tables.beside(path) as partial, Path(partial).open("wb") as file:
            np.savez(
                file, **{f"{k}.{i}": each for k, part in enumerate(found) for i, each in enumerate(part)}
            )
    with np.load(path) as kept:
        return tuple([kept[f"{k}.{i}"] for i in range(len(part))] for k, part in enumerate(sounds))


def _measured(network, crops, train_targets):
    """Loss at the masked frames of held-out crops, as a row of ``Trained.held_out``."""
    import torch

    network.eval().cpu()
    with torch.inference_mode():
        losses = [
            network(**{name: torch.from_numpy(value)[None] for name, value in crop.items()})["metrics"]
            for crop in crops
        ]
    counts = np.bincount(np.concatenate(train_targets), minlength=len(network.codes)) + 1
    masked = np.concatenate([crop["targets"][crop["masked"]] for crop in crops])
    return {
        "split": "dev",
        "metric": "masked loss (nats)",
        "value": float(np.mean([each["masked_loss"] for each in losses])),
        "chance": float(-np.log(counts / counts.sum())[masked].mean()),
        "control": "knows only how common each cluster is",
        "n": len(masked),
    }


def ready(model):
    """The model as it is shipped: no masking, no layer drop, no vector that stands for masked frames."""
    config = model.config.__class__(
        **(model.config.to_diff_dict() | {"mask_time_prob": 0.0, "apply_spec_augment": False})
    )
    kept = model.__class__(config)
    weights = {name: value for name, value in model.state_dict().items() if name != "masked_spec_embed"}
    kept.load_state_dict(weights)
    return kept.eval()


def _long_enough(rows, crop_s):
    kept = [row for row in rows if row["duration_s"] >= crop_s + HOP / RATE_HZ]
    if len(kept) < len(rows):
        logging.warning("%d of %d recordings are shorter than a crop", len(rows) - len(kept), len(rows))
    if rows and not kept:
        raise InputError(
            f"no recording is as long as a crop of {crop_s:g} s", path=rows[0]["audio"], fix="lower crop_s"
        )
    return Sounds(kept)


def _features(model, sounds, recipe):
    """What is clustered: hidden states, or MFCC where there is no model yet."""
    return (
        states(model, sounds, recipe.target_layer) if model else [mfcc(sounds[i]) for i in range(len(sounds))]
    )


def mfcc(audio):
    """MFCC with first and second differences on the encoder's frame centres.

    Parameters
    ----------
    audio : float32 array of shape (n_samples,)

    Returns
    -------
    float32 array of shape (n_frames, 39)
        Mean and SD normalised.
    """
    import torch
    import torchaudio

    transform = torchaudio.transforms.MFCC(
        RATE_HZ,
        n_mfcc=13,
        melkwargs={"n_fft": RECEPTIVE_FIELD, "hop_length": HOP, "n_mels": 40, "center": False},
    )
    static = transform(torch.from_numpy(audio)[None])
    first = torchaudio.functional.compute_deltas(static)
    values = torch.cat([static, first, torchaudio.functional.compute_deltas(first)], dim=1)[0].T.numpy()
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-5)


def states(model, sounds, layer):
    """Hidden states of ``layer`` for every sound, each of shape (n_frames, hidden_size)."""
    import torch

    was = model.training
    model.eval()
    with torch.inference_mode():
        found = [
            model(torch.from_numpy(sounds[i])[None].to(model.device), output_hidden_states=True)
            .hidden_states[layer][0]
            .cpu()
            .numpy()
            for i in range(len(sounds))
        ]
    model.train(was)
    return found


def clustered(features, others, k, seed):
    """Cluster identities by k-means, as in HuBERT.

    Parameters
    ----------
    features, others : list of array of shape (n_frames, dim)
        Clusters are fitted on (a sample of) the frames of ``features``.
    k, seed : int

    Returns
    -------
    two lists of int64 array of shape (n_frames,)
    """
    from sklearn.cluster import KMeans

    frames = np.concatenate(features)
    rng = np.random.default_rng(seed)
    sample = frames[rng.choice(len(frames), min(FITTED, len(frames)), replace=False)]
    means = KMeans(k, n_init=1, max_iter=60, random_state=seed).fit(sample)
    return tuple([means.predict(each).astype(np.int64) for each in part] for part in (features, others))


def mask_spans(n_frames, rng, probability, length):
    """Frames to be masked: every frame starts a span with ``probability``; spans may overlap."""
    starts = rng.random(n_frames) < probability
    # A crop without any masked frame would teach nothing.
    starts[rng.integers(0, max(1, n_frames - length))] = True
    masked = np.zeros(n_frames, dtype=bool)
    for shift in range(length):
        masked[shift:] |= starts[: n_frames - shift]
    return masked


def _crops(sounds, targets, config, recipe):
    """A function that draws a crop that starts on a frame, with its targets and mask."""
    frames = int(recipe.crop_s * RATE_HZ - RECEPTIVE_FIELD) // HOP + 1
    samples = (frames - 1) * HOP + RECEPTIVE_FIELD
    share = np.array([len(each) for each in targets], float)
    share /= share.sum()

    def draw(rng):
        index = rng.choice(len(targets), p=share)
        first = rng.integers(0, len(targets[index]) - frames + 1)
        return {
            "audio": sounds[index][first * HOP : first * HOP + samples],
            "targets": targets[index][first : first + frames],
            "masked": mask_spans(frames, rng, config.mask_time_prob, config.mask_time_length),
        }

    return draw


def _network(model, recipe, clusters):
    """``model`` with cluster embeddings on top, to be called with audio, targets and masked."""
    import torch
    from torch.nn.functional import cross_entropy, normalize

    class MaskedPrediction(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model
            self.projection = torch.nn.Linear(model.config.hidden_size, recipe.code_dim)
            self.codes = torch.nn.Parameter(torch.randn(clusters, recipe.code_dim))

        def forward(self, audio, targets, masked):
            hidden = self.model(audio, mask_time_indices=masked).last_hidden_state
            # The cosine as a product of unit vectors: cosine_similarity would write out every pair.
            guess = normalize(self.projection(hidden), dim=-1) @ normalize(self.codes, dim=-1).T
            losses = cross_entropy(
                guess.flatten(0, 1) / recipe.temperature, targets.flatten(), reduction="none"
            )
            inside = masked.flatten()
            within, outside = losses[inside].mean(), losses[~inside].mean()
            right = (guess.argmax(-1) == targets).flatten()[inside].float().mean()
            return {
                "loss": within + recipe.unmasked_weight * outside,
                "metrics": {"masked_loss": within.detach(), "masked_accuracy": right},
            }

    return MaskedPrediction()
