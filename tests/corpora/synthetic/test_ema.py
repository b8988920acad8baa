"""The shipped corpus synthetic-ema: what it must hold, and that its synthesis can be repeated."""

import csv
import hashlib
import importlib.util
import itertools
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import ema as synthesis
from phonoscope.corpora.synthetic import ema_plan, ema_tract
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-ema"


@pytest.fixture(scope="module")
def recordings():
    return tables.read(CORPUS / "recordings.parquet").to_pylist()


@pytest.fixture(scope="module")
def segments():
    found = defaultdict(list)
    for row in tables.read(CORPUS / "segments.parquet").to_pylist():
        found[row["utterance_id"], row["tier"]].append(row)
    return found


def test_is_the_plan(recordings):
    planned = {row["utterance_id"]: row for row in ema_plan.utterances()}
    assert [row["utterance_id"] for row in recordings] == list(planned)
    for row in recordings:
        for key in ("speaker", "sex", "language", "native_language", "task", "condition", "text"):
            assert row[key] == planned[row["utterance_id"]][key]


def test_schemas_and_provenance():
    for name, schema in (("recordings", tables.UTTERANCES), ("segments", tables.SEGMENTS)):
        table = tables.read(CORPUS / f"{name}.parquet")
        assert table.schema.equals(schema)
        assert tables.provenance(table)["seed"] == ema_plan.SEED


def test_eight_speakers_balanced_over_sexes_and_two_languages(recordings):
    speakers = {(row["speaker"], row["sex"], row["native_language"]) for row in recordings}
    assert len(speakers) == len({name for name, _, _ in speakers}) == 8
    assert Counter((sex, language) for _, sex, language in speakers) == {
        (sex, language): 2 for sex in "fm" for language in ema_plan.LANGUAGES
    }
    with (ROOT / "config" / "speakers" / "synthetic-ema.tsv").open(encoding="utf-8") as file:
        sheet = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        assert {(row["speaker"], row["sex"], row["native_language"]) for row in sheet} == speakers


def test_every_task_and_condition_twice_per_speaker(recordings):
    cells = Counter((row["speaker"], row["task"], row["condition"]) for row in recordings)
    assert len(cells) == 8 * 3 * 3 and min(cells.values()) >= 2
    for row in recordings:
        assert (row["language"] == row["native_language"]) == (row["condition"] != "L2")


def test_about_a_minute_per_speaker(recordings):
    seconds = defaultdict(float)
    for row in recordings:
        seconds[row["speaker"]] += row["duration_s"]
        assert 1.5 < row["duration_s"] < 8
    assert all(50 < total < 75 for total in seconds.values()), dict(seconds)


def test_audio_is_intact_and_speechlike(recordings):
    import soundfile

    for row in recordings:
        path = CORPUS / row["audio"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["audio_sha256"]
        audio, rate = soundfile.read(path, dtype="float32")
        assert (audio.ndim, rate) == (1, 16000) and len(audio) / rate == row["duration_s"]
        assert np.abs(audio).max() < 0.98 and audio.std() > 0.005
        assert audio[:800].std() < 0.1 * audio.std()


def test_phones_are_in_order_and_fill_the_audio(recordings, segments):
    for row in recordings:
        phones = segments[row["utterance_id"], "phone"]
        assert phones[0]["start_s"] == 0 and phones[0]["label"] == phones[-1]["label"] == "sil"
        for phone, following in itertools.pairwise(phones):
            assert phone["start_s"] < phone["end_s"] == following["start_s"]
        assert abs(phones[-1]["end_s"] - row["duration_s"]) < 0.01
        assert phones[-1]["end_s"] <= row["duration_s"] + 1e-9
        words = segments[row["utterance_id"], "word"]
        bounds = {phone["start_s"] for phone in phones} | {phone["end_s"] for phone in phones}
        assert {bound for word in words for bound in (word["start_s"], word["end_s"])} <= bounds


def test_natives_use_no_foreign_phone_and_imitators_do(recordings, segments):
    heard = defaultdict(set)
    for row in recordings:
        labels = {phone["label"] for phone in segments[row["utterance_id"], "phone"]} - {"sil"}
        heard[row["native_language"], row["condition"]] |= labels
    for language, spec in ema_plan.LANGUAGES.items():
        own = {*spec["vowels"], *spec["onsets"], *spec["codas"]}
        assert heard[language, "L1"] <= own and heard[language, "L2"] <= own
        assert len(heard[language, "L1-accent"] - own) >= 4


def test_ema_covers_the_audio_and_moves(recordings):
    for speaker in {row["speaker"] for row in recordings}:
        table = tables.read(CORPUS / "ema" / f"{speaker}.parquet")
        assert tables.provenance(table)["rate"] == 100
        assert table.column_names == ["utterance_id", "time_s", *synthesis.CHANNELS]
        names = np.array(table["utterance_id"].to_pylist())
        values = np.column_stack([table[channel].to_numpy() for channel in synthesis.CHANNELS])
        for row in (row for row in recordings if row["speaker"] == speaker):
            mine = names == row["utterance_id"]
            times = table["time_s"].to_numpy()[mine]
            np.testing.assert_allclose(np.diff(times), 0.01)
            assert times[0] == 0 and 0 <= row["duration_s"] - times[-1] < 0.02
            alive = [name for name in synthesis.CHANNELS if not dead(row["utterance_id"], name)]
            sd = np.nanstd(values[mine][:, [synthesis.CHANNELS.index(name) for name in alive]], axis=0)
            assert sd.min() > 0.5, (row["utterance_id"], dict(zip(alive, sd, strict=True)))


def dead(utterance_id, channel):
    return (utterance_id, channel[:2]) == ema_plan.DEAD


def test_dropouts_are_few_and_one_sensor_is_dead(recordings):
    missing = total = 0
    for speaker in {row["speaker"] for row in recordings}:
        table = tables.read(CORPUS / "ema" / f"{speaker}.parquet")
        names = np.array(table["utterance_id"].to_pylist())
        for channel in synthesis.CHANNELS:
            absent = np.isnan(table[channel].to_numpy())
            if speaker == ema_plan.DEAD[0].rsplit("_", 3)[0] and channel[:2] == ema_plan.DEAD[1]:
                assert absent[names == ema_plan.DEAD[0]].all()
                absent = absent[names != ema_plan.DEAD[0]]
            missing, total = missing + absent.sum(), total + len(absent)
    assert 0.001 < missing / total < 0.05


def test_lips_meet_in_labials_and_the_tip_rises_in_t(recordings, segments):
    """Closures are where the phone times say: the labels, the sensors and the axes fit together."""
    gap, height = defaultdict(list), defaultdict(list)
    for speaker in {row["speaker"] for row in recordings}:
        table = tables.read(CORPUS / "ema" / f"{speaker}.parquet")
        names = np.array(table["utterance_id"].to_pylist())
        column = {name: table[name].to_numpy() for name in ("UL_z", "LL_z", "TT_z")}
        for row in (row for row in recordings if row["speaker"] == speaker):
            first = np.flatnonzero(names == row["utterance_id"])[0]
            for phone in segments[row["utterance_id"], "phone"]:
                at = first + round(50 * (phone["start_s"] + phone["end_s"]))
                gap[phone["label"]].append(column["UL_z"][at] - column["LL_z"][at])
                height[phone["label"]].append(column["TT_z"][at])
    for closed, opened in itertools.product("pbm", "aE@"):
        assert np.nanmean(gap[closed]) < np.nanmean(gap[opened]) - 3
    assert np.nanmean(height["t"]) > np.nanmean(height["a"]) + 4


def test_is_small():
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 12e6


def test_unknown_utterance_is_named():
    with pytest.raises(InputError, match="nobody_read_L1_1"):
        synthesis.item("nobody_read_L1_1")


def test_same_anatomy_leaves_states_alone():
    states = np.random.default_rng(0).normal(size=(4, 19))
    anatomy = ema_plan.SPEAKERS[1]["anatomy"]
    np.testing.assert_allclose(ema_tract.adapted(states, anatomy, anatomy), states, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sound, ema: (sound * 0, ema), "silent"),
        (lambda sound, ema: (sound * 100, ema), "clipped"),
        (lambda sound, ema: (sound[: len(sound) // 2], ema), "planned"),
        (lambda sound, ema: (sound * np.nan, ema), "not finite"),
        (lambda sound, ema: (sound, ema * 0), "does not move"),
    ],
)
def test_broken_synthesis_is_refused(change, message):
    row = ema_plan.utterances()[0]
    seconds = sum(segment["duration_s"] for segment in row["segments"])
    rng = np.random.default_rng(0)
    sound = 0.1 * rng.standard_normal(int(seconds * 16000))
    ema = rng.standard_normal((int(seconds * 100), 5, 2))
    synthesis.check(row, sound, ema)
    with pytest.raises(RuntimeError, match=message):
        synthesis.check(row, *change(sound, ema))


def test_crash_is_tried_again(monkeypatch):
    attempts = []

    def crash(row):
        attempts.append(row)
        raise RuntimeError("the synthesiser ended with -11")

    monkeypatch.setattr(synthesis, "_spoken", crash)
    with pytest.raises(RuntimeError, match="3 attempts failed: .*-11"):
        synthesis.synthesise("tal1_f_read_L1_1")
    assert len(attempts) == 3


@pytest.mark.slow
@pytest.mark.parametrize("utterance_id", ["tal2_m_carrier_L1_1", "vos3_f_carrier_L2_2"])
def test_rebuilt_equals_shipped(utterance_id, recordings):
    """Equal up to the rounding of another machine's mathematical library."""
    if importlib.util.find_spec("vocaltractlab_cython") is None:
        pytest.skip("vocaltractlab-cython is not installed (see resources/corpora/synthetic-ema/README.md)")
    import soundfile

    audio, ema_mm = synthesis.synthesise(utterance_id)
    row = next(row for row in recordings if row["utterance_id"] == utterance_id)
    shipped, _ = soundfile.read(CORPUS / row["audio"], dtype="int16")
    np.testing.assert_allclose(audio, shipped, atol=3)
    table = tables.read(CORPUS / "ema" / f"{row['speaker']}.parquet")
    mine = np.array(table["utterance_id"].to_pylist()) == utterance_id
    values = np.column_stack([table[channel].to_numpy()[mine] for channel in synthesis.CHANNELS])
    np.testing.assert_allclose(ema_mm, values, atol=0.011)
