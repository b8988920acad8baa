"""The corpus real-ema: four formats of reading, one orientation, and what an orientation is worth."""

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora import audio
from phonoscope.corpora.articulation import filter_ema
from phonoscope.corpora.sheets import read_speakers
from phonoscope.corpora.tabulate import tabulate


@pytest.fixture
def corpus(real_ema, pytestconfig):
    return {
        "name": "real-ema",
        "reader": "emu",
        "path": str(real_ema),
        "shards": "speakers",
        "sensors": {"TT": "t_tip", "TB": "t_back", "UL": "upper_lip", "LL": "lower_lip"},
    }


@pytest.fixture
def speakers(pytestconfig):
    return read_speakers(pytestconfig.rootpath / "config" / "speakers" / "real-ema.tsv")


def test_all_speakers_are_read(corpus, speakers, options):
    rows, phones = [], {}
    for speaker in speakers:
        utterances, segments, notes = tabulate(corpus, [speaker], speaker["speaker"])
        articulation, quality, more = filter_ema(corpus, [speaker], speaker["speaker"], options)
        rows += utterances.to_pylist()
        phones[speaker["speaker"]] = segments.num_rows
        assert notes.num_rows == more.num_rows == 0
        assert not any(quality["left_out"].to_pylist())
        assert quality["zero_share"].to_numpy().max() == pytest.approx(
            0.05 if speaker["speaker"] == "dfgspp_mo1" else 0
        )
        assert np.abs(quality["length_difference_s"].to_numpy()).max() < 0.001
        assert set(articulation["utterance_id"].to_pylist()) == set(utterances["utterance_id"].to_pylist())
    assert [row["utterance_id"] for row in rows] == [
        "sf2_0005",
        "dfg91_s1em_0666",
        "dfgspp_mo1_prosody_0020",
        "dfgspp_mo1_prosody_0024",
        "ERC_Polish1_audio_0002",
    ]
    assert [row["language"] for row in rows] == ["en", "de", "de", "de", "pl"]
    assert [row["sample_rate"] for row in rows] == [48000, 16384, 24000, 24000, 25600]
    assert phones == {"sf2": 0, "dfg91": 28, "dfgspp_mo1": 70, "ERC_Polish1": 0}


def test_x_points_to_the_front_and_z_up_for_everyone(corpus, speakers, options):
    for speaker in speakers:
        table, _, _ = filter_ema(corpus, [speaker], speaker["speaker"], options)
        for means in tables.provenance(table)["scale"].values():
            x = [means[f"{sensor}_x"][0] for sensor in ("TB", "TT", "UL")]
            assert x == sorted(x), speaker["speaker"]
            assert means["LL_z"][0] < means["UL_z"][0]


def band_energies(path):
    """Log energies of 20 bands every 10 ms, of shape (n_frames, 20 * 11): a poor man's MFCC with context."""
    samples, _ = audio.load(path)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, 200), 400)[::160]
    power = np.abs(np.fft.rfft(frames * np.hamming(400), 512)) ** 2
    mel = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 21)
    edges = np.round(700 * (10 ** (mel / 2595) - 1) / 16000 * 512).astype(int)
    bands = np.log(
        np.column_stack(
            [power[:, a : max(b, a + 1)].sum(1) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        )
        + 1e-8
    )
    bands = (bands - bands.mean(0)) / bands.std(0)
    padded = np.pad(bands, ((5, 5), (0, 0)), mode="edge")
    return np.hstack([padded[i : i + len(bands)] for i in range(11)])


def mean_r(corpus, speakers, options):
    """Mean Pearson r of a ridge that leaves one utterance out, and the r per channel."""
    features, targets = [], []
    for speaker in speakers:
        table, _, _ = filter_ema(corpus, [speaker], speaker["speaker"], options)
        for row in tabulate(corpus, [speaker], speaker["speaker"])[0].to_pylist():
            own = np.array(table["utterance_id"].to_pylist()) == row["utterance_id"]
            times = table["time_s"].to_numpy()[own]
            x = band_energies(row["audio"])
            centres = np.arange(len(x)) * 0.01
            features.append(x[centres <= times[-1]])
            ema = [table[name].to_numpy()[own] for name in table.column_names[2:]]
            targets.append(np.column_stack([np.interp(centres[centres <= times[-1]], times, y) for y in ema]))
    scores = []
    for held_out in range(len(features)):
        x = np.vstack([x for i, x in enumerate(features) if i != held_out])
        y = np.vstack([y for i, y in enumerate(targets) if i != held_out])
        weights = np.linalg.solve(x.T @ x + 1000 * np.eye(x.shape[1]), x.T @ y)
        predicted = features[held_out] @ weights
        scores.append(
            [np.corrcoef(p, t)[0, 1] for p, t in zip(predicted.T, targets[held_out].T, strict=True)]
        )
    return np.mean(scores), np.mean(scores, axis=0)


def test_the_orientation_flip_changes_r(corpus, speakers, options):
    right, per_channel = mean_r(corpus, speakers, options)
    unflipped = [row | {"axes": row["axes"].replace("x=-y", "x=+y")} for row in speakers]
    wrong, wrong_per_channel = mean_r(corpus, unflipped, options)
    assert right > 0.3
    assert wrong < right - 0.1
    # Only the front-back axis is to blame: the columns are TT_x, TT_z, TB_x, ...
    assert np.allclose(per_channel[1::2], wrong_per_channel[1::2])
    assert (wrong_per_channel[::2] < per_channel[::2]).all()
