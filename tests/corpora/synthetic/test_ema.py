"""The shipped corpora of articulatory synthesis: what they hold, and that their synthesis can be repeated."""

import csv
import hashlib
import importlib.util
import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import ema as synthesis
from phonoscope.corpora.synthetic import ema_plan, ema_tract
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
EMA, DISJOINT = (ema_plan.PLANS[name] for name in ("synthetic-ema", "synthetic-ema-disjoint"))


@dataclass
class Shipped:
    """A plan, the folder made of it, and its tables; segments per (utterance_id, tier)."""

    plan: ema_plan.Plan
    folder: Path
    recordings: list
    segments: dict


def shipped(plan):
    folder = ROOT / "resources" / "corpora" / plan.name
    segments = defaultdict(list)
    for row in tables.read(folder / "segments.parquet").to_pylist():
        segments[row["utterance_id"], row["tier"]].append(row)
    return Shipped(plan, folder, tables.read(folder / "recordings.parquet").to_pylist(), segments)


@pytest.fixture(scope="module", params=ema_plan.PLANS)
def corpus(request):
    return shipped(ema_plan.PLANS[request.param])


@pytest.fixture(scope="module")
def accented():
    return shipped(EMA)


@pytest.fixture(scope="module")
def disjoint():
    return shipped(DISJOINT)


def speakers(corpus):
    return {(row["speaker"], row["sex"], row["native_language"]) for row in corpus.recordings}


def sensors(corpus, speaker):
    """utterance_id of every EMA sample of a speaker, its time, and a dict of its channels."""
    table = tables.read(corpus.folder / "ema" / f"{speaker}.parquet")
    names = np.array(table["utterance_id"].to_pylist())
    return names, table["time_s"].to_numpy(), {c: table[c].to_numpy() for c in synthesis.CHANNELS}


def phones_in(corpus, **where):
    """Phones of the segments table in the recordings that `where` selects."""
    rows = (row for row in corpus.recordings if all(row[key] == value for key, value in where.items()))
    return {s["label"] for row in rows for s in corpus.segments[row["utterance_id"], "phone"]} - {"sil"}


def inventory(plan, language):
    spec = plan.languages[language]
    return {*spec["vowels"], *spec["onsets"], *spec["codas"]} - {""}


def test_the_shipped_plans_stay_what_they_were():
    """Sums over every phone, duration and seed: the corpora are not made anew when code is moved."""
    sums = {
        name: hashlib.sha256(json.dumps(ema_plan.utterances(plan)).encode()).hexdigest()[:16]
        for name, plan in ema_plan.PLANS.items()
    }
    assert sums == {"synthetic-ema": "c57325dbf1173a9b", "synthetic-ema-disjoint": "68c583e2032df15d"}


def test_is_the_plan(corpus):
    planned = {row["utterance_id"]: row for row in ema_plan.utterances(corpus.plan)}
    assert [row["utterance_id"] for row in corpus.recordings] == list(planned)
    for row in corpus.recordings:
        for key in ("speaker", "sex", "language", "native_language", "task", "condition", "text"):
            assert row[key] == planned[row["utterance_id"]][key]


def test_schemas_and_provenance(corpus):
    for name, schema in (("recordings", tables.UTTERANCES), ("segments", tables.SEGMENTS)):
        table = tables.read(corpus.folder / f"{name}.parquet")
        assert table.schema.equals(schema)
        assert tables.provenance(table)["seed"] == corpus.plan.seed


def test_eight_speakers_balanced_over_sexes_and_two_languages(corpus):
    found = speakers(corpus)
    assert len(found) == len({name for name, _, _ in found}) == 8
    assert Counter((sex, language) for _, sex, language in found) == {
        (sex, language): 2 for sex in "fm" for language in corpus.plan.languages
    }
    with (ROOT / "config" / "speakers" / f"{corpus.plan.name}.tsv").open(encoding="utf-8") as file:
        sheet = csv.DictReader((line for line in file if not line.startswith("#")), delimiter="\t")
        assert {(row["speaker"], row["sex"], row["native_language"]) for row in sheet} == found


def test_the_same_tracts_speak_both_corpora(accented, disjoint):
    assert {row[:2] for row in speakers(accented)} == {row[:2] for row in speakers(disjoint)}
    for one, other in zip(EMA.speakers, DISJOINT.speakers, strict=True):
        assert {key for key in one if one[key] != other[key]} == {"native_language"}


def test_every_task_and_condition_twice_per_speaker(corpus):
    cells = Counter((row["speaker"], row["task"], row["condition"]) for row in corpus.recordings)
    assert len(cells) == 8 * len(corpus.plan.tasks) * len(corpus.plan.conditions)
    assert min(cells.values()) >= 2
    for row in corpus.recordings:
        assert (row["language"] == row["native_language"]) == (row["condition"] != "L2")


def test_seconds_per_speaker(corpus):
    """About a minute each in synthetic-ema, and in the other 17 s in each of two languages."""
    seconds = defaultdict(float)
    for row in corpus.recordings:
        seconds[row["speaker"], row["language"] if corpus.plan is DISJOINT else ""] += row["duration_s"]
        assert 1.4 < row["duration_s"] < 8
    least, most = (15, 20) if corpus.plan is DISJOINT else (50, 75)
    assert len(seconds) == (16 if corpus.plan is DISJOINT else 8)
    assert all(least < total < most for total in seconds.values()), dict(seconds)


def test_audio_is_intact_and_speechlike(corpus):
    import soundfile

    for row in corpus.recordings:
        path = corpus.folder / row["audio"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["audio_sha256"]
        audio, rate = soundfile.read(path, dtype="float32")
        assert (audio.ndim, rate) == (1, 16000) and len(audio) / rate == row["duration_s"]
        assert np.abs(audio).max() < 0.98 and audio.std() > 0.005
        assert audio[:800].std() < 0.1 * audio.std()


def test_phones_are_in_order_and_fill_the_audio(corpus):
    for row in corpus.recordings:
        phones = corpus.segments[row["utterance_id"], "phone"]
        assert phones[0]["start_s"] == 0 and phones[0]["label"] == phones[-1]["label"] == "sil"
        for phone, following in itertools.pairwise(phones):
            assert phone["start_s"] < phone["end_s"] == following["start_s"]
        assert abs(phones[-1]["end_s"] - row["duration_s"]) < 0.01
        assert phones[-1]["end_s"] <= row["duration_s"] + 1e-9
        words = corpus.segments[row["utterance_id"], "word"]
        bounds = {phone["start_s"] for phone in phones} | {phone["end_s"] for phone in phones}
        assert {bound for word in words for bound in (word["start_s"], word["end_s"])} <= bounds


def test_natives_use_no_foreign_phone_and_imitators_do(accented):
    for language in EMA.languages:
        own = inventory(EMA, language)
        assert phones_in(accented, native_language=language, condition="L1") <= own
        assert phones_in(accented, native_language=language, condition="L2") <= own
        assert len(phones_in(accented, native_language=language, condition="L1-accent") - own) >= 4


def test_the_disjoint_languages_share_no_phone(disjoint):
    first, second = (inventory(DISJOINT, language) for language in DISJOINT.languages)
    assert not first & second
    for language in DISJOINT.languages:
        for speaker in {row["speaker"] for row in disjoint.recordings}:
            heard = phones_in(disjoint, language=language, speaker=speaker)
            assert heard == inventory(DISJOINT, language), (speaker, language)


def test_each_disjoint_language_fills_the_mouth(disjoint):
    """In every speaker each sensor's middle 90 % in one language overlaps much of that in the other."""
    for speaker in {row["speaker"] for row in disjoint.recordings}:
        names, _, column = sensors(disjoint, speaker)
        language = {row["utterance_id"]: row["language"] for row in disjoint.recordings}
        spoken = np.array([language[name] for name in names])
        for channel, values in column.items():
            spans = [np.nanpercentile(values[spoken == name], [5, 95]) for name in DISJOINT.languages]
            both = min(high for _, high in spans) - max(low for low, _ in spans)
            either = max(high for _, high in spans) - min(low for low, _ in spans)
            assert both > 0.4 * either, (speaker, channel, spans)


def test_ema_covers_the_audio_and_moves(corpus):
    for speaker in {row["speaker"] for row in corpus.recordings}:
        table = tables.read(corpus.folder / "ema" / f"{speaker}.parquet")
        assert tables.provenance(table)["rate"] == 100
        assert table.column_names == ["utterance_id", "time_s", *synthesis.CHANNELS]
        names, times, column = sensors(corpus, speaker)
        for row in (row for row in corpus.recordings if row["speaker"] == speaker):
            mine = names == row["utterance_id"]
            np.testing.assert_allclose(np.diff(times[mine]), 0.01)
            assert times[mine][0] == 0 and 0 <= row["duration_s"] - times[mine][-1] < 0.02
            alive = [c for c in synthesis.CHANNELS if (row["utterance_id"], c[:2]) != corpus.plan.dead]
            sd = {channel: np.nanstd(column[channel][mine]) for channel in alive}
            assert min(sd.values()) > 0.5, (row["utterance_id"], sd)


def test_dropouts_are_few_and_one_sensor_is_dead(corpus):
    missing = total = 0
    for speaker in {row["speaker"] for row in corpus.recordings}:
        names, _, column = sensors(corpus, speaker)
        for channel, values in column.items():
            dead = np.isin(names, corpus.plan.dead or ()) & (channel[:2] == (corpus.plan.dead or ("", ""))[1])
            assert np.isnan(values[dead]).all()
            missing, total = missing + np.isnan(values[~dead]).sum(), total + (~dead).sum()
    assert 0.001 < missing / total < 0.05


def test_lips_meet_in_labials_and_the_tip_rises(corpus):
    """Closures are where the phone times say: the labels, the sensors and the axes fit together."""
    gap, height = defaultdict(list), defaultdict(list)
    for speaker in {row["speaker"] for row in corpus.recordings}:
        names, _, column = sensors(corpus, speaker)
        for row in (row for row in corpus.recordings if row["speaker"] == speaker):
            first = np.flatnonzero(names == row["utterance_id"])[0]
            for phone in corpus.segments[row["utterance_id"], "phone"]:
                at = first + round(50 * (phone["start_s"] + phone["end_s"]))
                gap[phone["label"]].append(column["UL_z"][at] - column["LL_z"][at])
                height[phone["label"]].append(column["TT_z"][at])
    for closed, opened in itertools.product("pbm", "aE@"):
        assert np.nanmean(gap[closed]) < np.nanmean(gap[opened]) - 3
    for raised, low in ("ta", "dO"):
        assert np.nanmean(height[raised]) > np.nanmean(height[low]) + 4


def test_is_small(corpus):
    most = 5.5e6 if corpus.plan is DISJOINT else 12e6
    assert sum(path.stat().st_size for path in corpus.folder.rglob("*") if path.is_file()) < most


def test_unknown_utterance_or_corpus_is_named():
    with pytest.raises(InputError, match="nobody_read_L1_1"):
        synthesis.item(EMA, "nobody_read_L1_1")
    with pytest.raises(InputError, match="carrier"):
        synthesis.item(DISJOINT, "tal1_f_carrier_L1_1")
    with pytest.raises(InputError, match="synthetic-nothing"):
        ema_plan.plan_of("synthetic-nothing")


def test_same_anatomy_leaves_states_alone():
    states = np.random.default_rng(0).normal(size=(4, 19))
    anatomy = EMA.speakers[1]["anatomy"]
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
    row = ema_plan.utterances(EMA)[0]
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
        synthesis.synthesise(EMA, "tal1_f_read_L1_1")
    assert len(attempts) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plan", "utterance_id"),
    [
        (EMA, "tal2_m_carrier_L1_1"),
        (EMA, "vos3_f_carrier_L2_2"),
        (DISJOINT, "tal2_m_read_L1_1"),
        (DISJOINT, "vos3_f_read_L1_1"),
    ],
)
def test_rebuilt_equals_shipped(plan, utterance_id):
    """Equal up to the rounding of another machine's mathematical library."""
    if importlib.util.find_spec("vocaltractlab_cython") is None:
        pytest.skip("vocaltractlab-cython is not installed (see resources/corpora/synthetic-ema/README.md)")
    import soundfile

    corpus = shipped(plan)
    audio, ema_mm = synthesis.synthesise(plan, utterance_id)
    row = next(row for row in corpus.recordings if row["utterance_id"] == utterance_id)
    kept, _ = soundfile.read(corpus.folder / row["audio"], dtype="int16")
    np.testing.assert_allclose(audio, kept, atol=3)
    names, _, column = sensors(corpus, row["speaker"])
    values = np.column_stack([column[channel][names == utterance_id] for channel in synthesis.CHANNELS])
    np.testing.assert_allclose(ema_mm, values, atol=0.011)
