"""Pre-train a very small HuBERT: the recipe of Hsu et al. (2021, arXiv 2106.07447), in minutes on one core.

Cluster identities of MFCC frames are predicted from masked audio; half-way the targets are replaced by
clusters of a middle layer's hidden states. Unlike the paper, the second iteration continues from the first
one's weights (with a new output layer), and predictions at frames that are not masked count by half.
"""

import csv
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE_HZ, RECEPTIVE_FIELD, HOP = 16000, 400, 320
CONFIG = {
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


@dataclass(frozen=True)
class Recipe:
    """What is trained and for how long.

    Attributes
    ----------
    steps : int
        Updates of both iterations together.
    batch, crop_s : int, float
        Crops per update and their length in seconds.
    clusters : tuple of int
        Number of k-means clusters of the first and the second iteration.
    target_layer : int
        Layer whose states are clustered for the second iteration.
    learning_rate, warm_up : float
        Peak, and the share of steps until it is reached; it falls linearly to 0.
    unmasked_weight : float
        Weight of the loss at frames that are not masked.
    temperature : float
        Of the cosine similarities between states and cluster embeddings.
    seed : int
    """

    steps: int = 4000
    batch: int = 8
    crop_s: float = 2.5
    clusters: tuple = (100, 100)
    target_layer: int = 3
    learning_rate: float = 1.5e-3
    warm_up: float = 0.08
    unmasked_weight: float = 0.5
    temperature: float = 0.1
    seed: int = 0


def train(recordings, folder, recipe, log=None):
    """Train on the audio of a table of recordings and save the model.

    Parameters
    ----------
    recordings : path-like
        ``recordings.parquet`` of a corpus in the format `table`, beside its audio.
    folder : path-like
    recipe : Recipe
    log : path-like, optional
    """
    from phonoscope import tables
    from phonoscope.corpora.audio import load

    paths = sorted(tables.read(recordings)["audio"].to_pylist())
    audios = [load(Path(recordings).parent / path, RATE_HZ)[0] for path in paths]
    save(pretrain(audios, recipe, log), folder)


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


def clustered(features, k, seed, rounds=40):
    """Cluster identities by k-means (Lloyd's algorithm from k-means++ seeds) over all frames.

    Parameters
    ----------
    features : list of array of shape (n_frames, dim)
    k, seed, rounds : int

    Returns
    -------
    list of int64 array of shape (n_frames,)
    """
    rng, points = np.random.default_rng(seed), np.concatenate(features).astype(np.float64)
    squares = (points**2).sum(axis=1)

    def distances(centres):
        return np.maximum(squares[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1), 0)

    centres = points[rng.integers(len(points), size=1)]
    nearest = distances(centres)[:, 0]
    while len(centres) < k:
        chosen = points[rng.choice(len(points), p=nearest / nearest.sum())][None]
        centres, nearest = np.vstack([centres, chosen]), np.minimum(nearest, distances(chosen)[:, 0])
    for _ in range(rounds):
        labels = distances(centres).argmin(axis=1)
        counts = np.bincount(labels, minlength=k)
        sums = np.zeros_like(centres)
        np.add.at(sums, labels, points)
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
    ends = np.cumsum([len(each) for each in features])[:-1]
    return np.split(distances(centres).argmin(axis=1), ends)


def mask_spans(shape, rng, probability, length):
    """Frames to be masked: every frame starts a span with ``probability``; spans may overlap."""
    starts = rng.random(shape) < probability
    # A crop without any masked frame would teach nothing.
    starts[np.arange(shape[0]), rng.integers(0, shape[1] - length, shape[0])] = True
    masked = np.zeros(shape, dtype=bool)
    for shift in range(length):
        masked[:, shift:] |= starts[:, : shape[1] - shift]
    return masked


def pretrain(audios, recipe, log=None):
    """Train, and return the model.

    Parameters
    ----------
    audios : list of float32 array of shape (n_samples,)
        At 16 kHz; those shorter than ``crop_s`` are left out.
    recipe : Recipe
    log : path-like, optional
        A TSV of step, iteration, learning_rate, masked_loss, masked_accuracy, seconds; a row every 50 steps.

    Returns
    -------
    transformers.HubertModel
        In evaluation mode.
    """
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(recipe.seed)
    audios = [(each - each.mean()) / (each.std() + 1e-7) for each in map(np.asarray, audios)]
    audios = [each.astype(np.float32) for each in audios if len(each) >= recipe.crop_s * RATE_HZ]
    model = HubertModel(HubertConfig(**CONFIG))
    rows, half, start = [], recipe.steps // 2, time.monotonic()
    for iteration, (first, last) in enumerate(((0, half), (half, recipe.steps))):
        features = [mfcc(each) for each in audios] if not iteration else states(model, audios, recipe)
        targets = clustered(features, recipe.clusters[iteration], recipe.seed)
        for row in _iterate(model, audios, targets, recipe, iteration, range(first, last)):
            rows.append(row | {"seconds": round(time.monotonic() - start, 1)})
            if log:
                _write(rows, log)
    return model.eval()


def states(model, audios, recipe):
    """Hidden states of ``target_layer`` for every audio, each of shape (n_frames, hidden_size)."""
    import torch

    model.eval()
    with torch.inference_mode():
        return [
            model(torch.from_numpy(each)[None], output_hidden_states=True)
            .hidden_states[recipe.target_layer][0]
            .numpy()
            for each in audios
        ]


def _write(rows, path):
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _iterate(model, audios, targets, recipe, iteration, steps):
    """One iteration over fixed targets; yields a row of the log every 50 steps."""
    import torch

    rng = np.random.default_rng([recipe.seed, iteration])
    width, k = model.config.hidden_size, recipe.clusters[iteration]
    projection = torch.nn.Linear(width, 64)
    codes = torch.nn.Parameter(torch.randn(k, 64))
    parameters = [*model.parameters(), *projection.parameters(), codes]
    optimiser = torch.optim.AdamW(parameters, lr=1.0, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: _rate(step / len(steps), recipe.learning_rate, recipe.warm_up)
    )
    share = np.array([len(each) for each in audios], float)
    model.train()
    recent = []
    for step in steps:
        sound, target = _crops(audios, targets, share / share.sum(), recipe, rng)
        masked = mask_spans(target.shape, rng, model.config.mask_time_prob, model.config.mask_time_length)
        hidden = model(torch.from_numpy(sound), mask_time_indices=torch.from_numpy(masked)).last_hidden_state
        guess = torch.nn.functional.cosine_similarity(
            projection(hidden)[:, :, None], codes[None, None], dim=-1
        )
        losses = torch.nn.functional.cross_entropy(
            (guess / recipe.temperature).flatten(0, 1), torch.from_numpy(target).flatten(), reduction="none"
        )
        inside = torch.from_numpy(masked).flatten()
        loss = losses[inside].mean() + recipe.unmasked_weight * losses[~inside].mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        right = (guess.argmax(-1).flatten() == torch.from_numpy(target).flatten())[inside]
        recent.append((losses[inside].mean().item(), right.float().mean().item()))
        if (step + 1) % 50 == 0:
            masked_loss, accuracy = np.mean(recent, axis=0)
            recent = []
            yield {
                "step": step + 1,
                "iteration": iteration + 1,
                "learning_rate": f"{optimiser.param_groups[0]['lr']:.2e}",
                "masked_loss": round(float(masked_loss), 4),
                "masked_accuracy": round(float(accuracy), 4),
            }


def _rate(progress, peak, warm_up):
    return peak * min((progress + 1e-3) / warm_up, (1 - progress) / (1 - warm_up))


def _crops(audios, targets, share, recipe, rng):
    """A batch of crops that start on a frame, with their targets."""
    frames = int(recipe.crop_s * RATE_HZ - RECEPTIVE_FIELD) // HOP + 1
    samples = (frames - 1) * HOP + RECEPTIVE_FIELD
    sound, target = [], []
    for index in rng.choice(len(audios), recipe.batch, p=share):
        first = rng.integers(0, len(targets[index]) - frames + 1)
        sound.append(audios[index][first * HOP : first * HOP + samples])
        target.append(targets[index][first : first + frames])
    return np.stack(sound), np.stack(target)


def save(model, folder):
    """Write config.json, model.safetensors and preprocessor_config.json.

    The vector that replaces masked frames is left out, with the options that would ask for it.
    """
    from transformers import HubertModel, Wav2Vec2FeatureExtractor

    config = model.config.__class__(**{**CONFIG, "mask_time_prob": 0.0, "apply_spec_augment": False})
    kept = HubertModel(config)
    weights = {name: value for name, value in model.state_dict().items() if name != "masked_spec_embed"}
    kept.load_state_dict(weights)
    kept.save_pretrained(folder)
    (Path(folder) / "model.safetensors").chmod(0o644)
    Wav2Vec2FeatureExtractor(sampling_rate=RATE_HZ, do_normalize=True).save_pretrained(folder)
