"""Filtering EMA: against a straightforward reference, and what is left out."""

import re

import numpy as np
import pytest
import soundfile
from scipy import signal

from phonoscope import tables
from phonoscope.corpora.articulation import filter_ema, smooth
from phonoscope.errors import InputError


def column(table, name):
    return table[name].to_numpy(zero_copy_only=False)


def rewrite(path, write_text, change):
    values = np.loadtxt(path, skiprows=1)
    positions = values.reshape(len(values), -1, 7)[:, :, :3]
    write_text(path, change(positions))


@pytest.mark.parametrize(("rate", "target"), [(250, 200), (1250, 50), (200, 200), (100, 200), (312.5, 50)])
def test_smooth_is_the_published_chain(movement, options, rate, target):
    values = movement(round(3 * rate), 2, rate).reshape(-1, 6)
    noisy = values + np.random.default_rng(1).normal(0, 0.5, values.shape)
    noisy[50:60, 0] = np.nan
    options |= {"rate": target}
    result = smooth(noisy, rate, options)

    filled = noisy.copy()
    index = np.arange(len(filled))
    known = ~np.isnan(noisy[:, 0])
    filled[:, 0] = np.interp(index, index[known], noisy[known, 0])
    sos = signal.butter(6, 20, fs=rate, output="sos")
    low = signal.sosfiltfilt(sos, filled, axis=0)
    up, down = {250: (4, 5), 1250: (1, 25), 200: (1, 1), 100: (2, 1), 312.5: (4, 25)}[rate]
    # Resampling with zeros beyond the edges, as published, differs there, and by the filter's ripple.
    published = signal.resample_poly(low, up, down, axis=0)
    inside = slice(25, -25)
    assert result.shape == published.shape
    assert np.allclose(result[inside], published[inside], atol=0.01, rtol=3e-3)
    # Against the movement itself, the edges included: zeros would bend them by many mm.
    times = np.arange(len(result)) / target
    truth = np.column_stack([np.interp(times, index / rate, column) for column in values[:, 1:].T])
    assert np.abs(result[:, 1:] - truth).max() < 2.5
    assert np.abs(published[:5] - result[:5]).max() > 5 or up == down


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 21, 22, 40])
def test_short_recordings(options, n):
    values = np.linspace(5.0, 6.0, n)[:, None]
    result = smooth(values, 250, options)
    assert result.shape == (-(-n * 4 // 5), 1) and np.isfinite(result).all()
    # A straight line stays one, to its ends.
    assert np.allclose(
        result[:, 0], 5 + np.arange(len(result)) * 1.25 / max(n - 1, 1), atol=0.05 if n > 1 else 1e-9
    )


def test_rate_too_low(options):
    with pytest.raises(InputError, match=r"x\.txt: EMA at 40 Hz cannot be low-passed at 20 Hz.*Fix: "):
        smooth(np.ones((50, 1)), 40, options, "x.txt")


def test_tables(make_corpus, options):
    corpus, speakers = make_corpus()
    articulation, quality, notes = filter_ema(corpus, speakers[:1], "a", options)
    channels = ["TT_x", "TT_z", "UL_x", "UL_z"]
    assert articulation.schema.equals(tables.articulation_schema(channels))
    assert quality.schema.equals(tables.QUALITY) and quality.num_rows == 8 and notes.num_rows == 0
    ids = articulation["utterance_id"].to_pylist()
    assert ids == ["a_T1A_001"] * 400 + ["a_T2C_002"] * 400
    assert np.allclose(column(articulation, "time_s")[:400], np.arange(400) / 200)
    provenance = tables.provenance(articulation)
    assert provenance["rate"] == 200 and provenance["channels"] == channels and provenance["zscore"] == "file"
    for name in channels:
        for part in (slice(0, 400), slice(400, 800)):
            values = column(articulation, name)[part]
            assert abs(values.mean()) < 1e-5 and values.std() == pytest.approx(1, abs=1e-5)


def test_scale_gives_millimetres_back(make_corpus, options):
    corpus, speakers = make_corpus()
    in_mm, _, _ = filter_ema(corpus, speakers[:1], "a", options | {"zscore": "none"})
    assert tables.provenance(in_mm)["scale"]["a_T1A_001"]["TT_x"] == [0.0, 1.0]
    for unit in ("file", "speaker"):
        table, _, _ = filter_ema(corpus, speakers[:1], "a", options | {"zscore": unit})
        scale = tables.provenance(table)["scale"]
        for i, utterance in enumerate(("a_T1A_001", "a_T2C_002")):
            mean, sd = scale[utterance]["UL_z"]
            part = slice(400 * i, 400 * i + 400)
            assert np.allclose(
                column(table, "UL_z")[part] * sd + mean, column(in_mm, "UL_z")[part], atol=1e-4
            )


def test_speaker_unit_pools_the_files_of_a_speaker_only(make_corpus, options):
    corpus, speakers = make_corpus(shards=1)
    table, _, _ = filter_ema(corpus, speakers, "bucket0", options | {"zscore": "speaker"})
    scale = tables.provenance(table)["scale"]
    assert scale["a_T1A_001"] == scale["a_T2C_002"] != scale["b_T1A_001"]
    values = column(table, "TT_x")
    assert abs(values[:800].mean()) < 1e-5 and values[:800].std() == pytest.approx(1, abs=1e-5)
    assert abs(values[:400].mean()) > 0.1
    with pytest.raises(InputError, match="z-scores per speaker need speakers"):
        filter_ema(corpus, [], "bucket0", options | {"zscore": "speaker"})
    with pytest.raises(InputError, match="`day` is no unit"):
        filter_ema(corpus, speakers, "bucket0", options | {"zscore": "day"})


def test_axes(make_corpus, options):
    corpus, speakers = make_corpus()
    tables_of = {
        x: filter_ema(corpus | {"axes": {"x": x, "z": "+z"}}, speakers[:1], "a", options)[0]
        for x in ("+x", "-x", "+y", "-y")
    }
    assert np.allclose(column(tables_of["+x"], "TT_x"), -column(tables_of["-x"], "TT_x"), atol=1e-5)
    assert np.allclose(column(tables_of["+y"], "TT_x"), -column(tables_of["-y"], "TT_x"), atol=1e-5)
    assert not np.allclose(column(tables_of["+x"], "TT_x"), column(tables_of["+y"], "TT_x"), atol=0.5)
    assert all(
        np.array_equal(column(table, "TT_z"), column(tables_of["+x"], "TT_z")) for table in tables_of.values()
    )
    row = speakers[0] | {"axes": "x=-x"}
    assert filter_ema(corpus, [row], "a", options)[0].equals(tables_of["-x"])


def test_unit_of_the_file(make_corpus, options):
    corpus, speakers = make_corpus()
    mm = filter_ema(corpus, speakers[:1], "a", options)[1]
    cm = filter_ema(corpus | {"mm_per_unit": 10}, speakers[:1], "a", options)[1]
    assert np.allclose(column(cm, "sd_mm"), 10 * column(mm, "sd_mm"))


@pytest.mark.parametrize(
    ("change", "said", "share"),
    [
        (lambda p: p * [0, 0, 0], "all samples are zero", 1.0),
        (lambda p: 0.01 * p + 30, "SD of .* mm is below 0.5 mm", 0.0),
        (lambda p: np.where(np.arange(500)[:, None] < 300, np.nan, p), "60% of the samples are missing", 0.6),
        (lambda p: np.where(np.arange(500)[:, None] < 300, 0, p), "60% of the samples are missing", 0.6),
        (lambda p: p * np.nan, "100% of the samples are missing", 1.0),
    ],
)
def test_channels_left_out(make_corpus, write_text, options, tmp_path, change, said, share):
    corpus, speakers = make_corpus()

    def spoil(positions):
        positions[:, 0] = change(positions[:, 0])
        return positions

    rewrite(tmp_path / "a" / "pos" / "T1A_001.txt", write_text, spoil)
    articulation, quality, notes = filter_ema(corpus, speakers[:1], "a", options)
    for name in ("TT_x", "TT_z"):
        assert articulation[name].null_count == 400 and articulation[name].slice(400).null_count == 0
    assert articulation["UL_x"].null_count == 0
    assert "TT_x" not in tables.provenance(articulation)["scale"]["a_T1A_001"]
    rows = [row for row in quality.to_pylist() if row["left_out"]]
    assert [(row["utterance_id"], row["channel"]) for row in rows] == [
        ("a_T1A_001", "TT_x"),
        ("a_T1A_001", "TT_z"),
    ]
    assert [row["missing_share"] for row in rows] == pytest.approx([share, share])
    assert rows[0]["zero_share"] in (0, pytest.approx(share))
    noted = notes.to_pylist()
    assert [(note["kind"], note["channel"]) for note in noted] == [("warning", "TT_x"), ("warning", "TT_z")]
    assert noted[0]["reason"].startswith("channel left out: ") and noted[0]["file"].endswith(
        "a/pos/T1A_001.txt"
    )
    assert re.search(said, rows[0]["left_out"])


def test_short_dropouts_are_bridged(make_corpus, write_text, options, tmp_path):
    corpus, speakers = make_corpus()
    plain, _, _ = filter_ema(corpus, speakers[:1], "a", options)

    def spoil(positions):
        positions[100:105, 0] = 0
        positions[200:205, 0] = np.nan
        return positions

    rewrite(tmp_path / "a" / "pos" / "T1A_001.txt", write_text, spoil)
    bridged, quality, _ = filter_ema(corpus, speakers[:1], "a", options)
    assert quality["zero_share"][0].as_py() == pytest.approx(0.01)
    assert quality["missing_share"][0].as_py() == pytest.approx(0.02)
    assert quality["largest_jump_mm"][0].as_py() < 2
    assert np.abs(column(bridged, "TT_x") - column(plain, "TT_x")).max() < 0.1


def test_a_sensor_the_speaker_has_not(make_corpus, options):
    corpus, speakers = make_corpus()
    articulation, quality, _ = filter_ema(corpus, [speakers[0] | {"sensors": "TT=none"}], "a", options)
    assert articulation["TT_x"].null_count == articulation.num_rows == 800
    assert set(quality["left_out"].to_pylist()) == {"the speaker sheet has no such sensor", ""}


def test_a_speaker_with_another_channel(make_corpus, options):
    corpus, speakers = make_corpus()
    swapped = filter_ema(corpus, [speakers[0] | {"sensors": "TT=3"}], "a", options)[0]
    assert np.array_equal(column(swapped, "TT_x"), column(swapped, "UL_x"))


def test_lengths_that_differ(make_corpus, options):
    corpus, speakers = make_corpus(seconds=2.0, ema_seconds=2.3)
    with pytest.raises(
        InputError, match=r"T1A_001\.txt: the EMA ends at 2\.300 s, .*at 2\.000 s: 0\.300 s apart.*Fix: "
    ):
        filter_ema(corpus, speakers[:1], "a", options)
    articulation, quality, notes = filter_ema(corpus | {"on_error": "skip"}, speakers[:1], "a", options)
    assert articulation.num_rows == quality.num_rows == 0
    assert {note["kind"] for note in notes.to_pylist()} == {"left_out"} and notes.num_rows == 2


@pytest.mark.parametrize(("ema_seconds", "n"), [(2.016, 400), (1.9, 380), (2.2, 400)])
def test_ema_is_cut_to_the_audio(make_corpus, options, ema_seconds, n):
    corpus, speakers = make_corpus(stems=("T1A_001",), seconds=2.0, ema_seconds=ema_seconds)
    articulation, quality, _ = filter_ema(corpus, speakers[:1], "a", options)
    assert articulation.num_rows == n and column(articulation, "time_s").max() < 2.0
    assert quality["length_difference_s"][0].as_py() == pytest.approx(ema_seconds - 2.0, abs=1e-9)


def test_truncated_file_and_absent_channel(make_corpus, options, tmp_path):
    corpus, speakers = make_corpus()
    with pytest.raises(InputError, match=r"T1A_001\.txt: sensor TD: .*`9`.*Fix: .*Ch1, Ch2, Ch3"):
        filter_ema(corpus | {"sensors": {"TT": 1, "TD": 9}}, speakers[:1], "a", options)
    path = tmp_path / "a" / "pos" / "T1A_001.txt"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"T1A_001\.txt: row 501: .*Fix: .*cut off"):
        filter_ema(corpus, speakers[:1], "a", options)
    articulation, _, notes = filter_ema(corpus | {"on_error": "skip"}, speakers[:1], "a", options)
    assert set(articulation["utterance_id"].to_pylist()) == {"a_T2C_002"}
    (note,) = notes.to_pylist()
    assert note["kind"] == "left_out" and note["reason"].startswith("row 501: ") and note["fix"]


def test_no_channel_is_usable(make_corpus, write_text, options, tmp_path):
    corpus, speakers = make_corpus(stems=("T1A_001",))
    rewrite(tmp_path / "a" / "pos" / "T1A_001.txt", write_text, lambda positions: 0 * positions)
    with pytest.raises(InputError, match="no channel is usable"):
        filter_ema(corpus, speakers[:1], "a", options)
    articulation, quality, notes = filter_ema(corpus | {"on_error": "skip"}, speakers[:1], "a", options)
    assert articulation.num_rows == 0 and articulation.column_names[2:] == ["TT_x", "TT_z", "UL_x", "UL_z"]
    assert quality.num_rows == 4 and notes["kind"].to_pylist() == ["warning"] * 4 + ["left_out"]


def test_bad_audio_is_noted_once(make_corpus, options, tmp_path):
    corpus, speakers = make_corpus(on_error="skip")
    soundfile.write(tmp_path / "a" / "wav" / "T1A_001.wav", np.full(100, np.nan), 16000, subtype="FLOAT")
    articulation, _, notes = filter_ema(corpus, speakers[:1], "a", options)
    assert set(articulation["utterance_id"].to_pylist()) == {"a_T2C_002"}
    # tabulate notes it.
    assert notes.num_rows == 0
