"""Fine-tuning by CTC and by known times, on a tiny network and tones that stand for phones."""

import copy
import itertools

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.corpora.synthetic import folder
from phonoscope.encoders.timebase import Timebase
from phonoscope.errors import InputError
from phonoscope.training import ctc, inputs, scores, targets
from phonoscope.training.job import Job
from phonoscope.training.network import last_states, padded

PHONES = {"a": 300, "tʃʲ": 1200, "t": 2500}
TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
OPTIONS = {"units": ["phone"], "steps": 6, "batch": 2, "save_every": 2, "log_every": 2, "architecture": TINY}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Rows by split and segments by utterance of nine short recordings."""
    place, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(0)
    utterances, segments = [], []
    for i in range(9):
        name, parts, now = f"u{i}", [], 0.1
        parts.append(np.zeros(1600))
        for label in rng.choice(list(PHONES), 4 + i % 3):
            seconds = float(rng.uniform(0.08, 0.2))
            time = np.arange(round(seconds * 16000)) / 16000
            parts.append(8000 * np.sin(2 * np.pi * PHONES[label] * time))
            segments.append(folder.segment(name, "phone", now, now + len(time) / 16000, str(label)))
            now += len(time) / 16000
        audio = (
            np.concatenate([*parts, np.zeros(1600)])
            + 50 * rng.standard_normal(int(now * 16000) + 3200)[: sum(map(len, parts)) + 1600]
        )
        row = {
            "utterance_id": name,
            "text": f"Hei {i % 3}, sä!",
            "split": ("train", "dev", "test")[i // 7 + i // 8],
        }
        utterances.append((row, audio.astype(np.int16)))
    folder.write(place, utterances, segments, seed=0)
    rows = tables.read(place / "recordings.parquet").to_pylist()
    rows = [row | {"audio": str(place / row["audio"])} for row in rows]
    found = {}
    for each in segments:
        found.setdefault(each["utterance_id"], []).append(each)
    return {split: [r for r in rows if r["split"] == split] for split in ctc.SPLITS}, found


def job(corpus, work, base=None, **options):
    return Job("tiny", OPTIONS | options, base, *corpus, work, 1)


def prepared(corpus, work, **options):
    """A network and a fixed batch, as :func:`ctc.train` makes them."""
    each = job(corpus, work, **options)
    recipe = ctc._recipe(each.options)
    units = targets.units(each.rows["train"], each.segments, ("phone",))
    model = ctc.build("CTC", each, {"vocab_size": len(units.vocabulary), "pad_token_id": 0}, 0)
    model.cpu()
    given = ctc._Utterances(model, each.rows["train"], each.segments, units, recipe, "train")
    return ctc._network(model, recipe), given


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"freeze_front_end": False},
        {"frames_share": 0.5, "warm": True},
        {"loss": "frames"},
    ],
)
def test_a_step_lowers_the_loss_of_its_batch(corpus, tmp_path, options):
    import torch

    options = dict(options)
    warm = options.pop("warm", False)
    network, given = prepared(corpus, tmp_path, **options)
    batch = ctc.collate([given.item(i, warm) for i in range(4)])
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    network.eval()
    before = network(**batch)["loss"]
    before.backward()
    optimizer.step()
    assert network(**batch)["loss"].item() < before.item() - 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"frames_share": 0.5}, {"loss": "frames", "mask_time_prob": 0.1}])
def test_killed_and_resumed_equals_unbroken(corpus, tmp_path, monkeypatch, options):
    whole = ctc.train(job(corpus, tmp_path / "whole", **options))
    calls, collate = itertools.count(), ctc.collate

    def killed(items):
        if next(calls) == 5:
            raise KeyboardInterrupt
        return collate(items)

    with monkeypatch.context() as patch:
        patch.setattr(ctc, "collate", killed)
        with pytest.raises(KeyboardInterrupt):
            ctc.train(job(corpus, tmp_path / "broken", **options))
    assert list((tmp_path / "broken").glob("checkpoint-*"))
    resumed = ctc.train(job(corpus, tmp_path / "broken", **options))
    other = resumed.model.state_dict()
    for name, value in whole.model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), other[name].numpy(), err_msg=name)
    assert [row["loss"] for row in whole.log] == [row["loss"] for row in resumed.log]
    assert whole.held_out == resumed.held_out


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [True, False])
def test_saved_folder_loads_and_says_the_same(corpus, tmp_path, frozen):
    import torch
    from transformers import AutoModelForCTC, AutoProcessor

    trained = ctc.train(job(corpus, tmp_path / "work", frames_share=0.5, freeze_front_end=frozen))
    assert {(row["split"], row["metric"]) for row in trained.held_out} == {
        ("dev", "phone error rate"),
        ("test", "phone error rate"),
    }
    trained.model.save_pretrained(tmp_path / "model")
    for extra in trained.extras:
        extra.save_pretrained(tmp_path / "model")
    model = AutoModelForCTC.from_pretrained(tmp_path / "model", local_files_only=True).eval()
    processor = AutoProcessor.from_pretrained(tmp_path / "model", local_files_only=True)
    rows, segments = corpus
    units = targets.units(rows["train"], segments, ("phone",))
    network, given = prepared(corpus, tmp_path, frames_share=0.5, freeze_front_end=frozen)
    network.model.load_state_dict(model.state_dict())
    audio, rate = inputs.Sounds(rows["train"])[0], 16000
    with torch.inference_mode():
        own = model(**processor(audio, sampling_rate=rate, return_tensors="pt")).logits[0].log_softmax(-1)
    np.testing.assert_allclose(own.numpy(), ctc.emissions(network, given.inputs)[0], atol=2e-4)
    said = [units.name(each) for each in segments[rows["train"][0]["utterance_id"]]]
    ids = units.tokens(rows["train"][0], segments[rows["train"][0]["utterance_id"]])
    assert processor.tokenizer(" ".join(said)).input_ids == ids
    with_blanks = [each for token in ids for each in (token, token, 0)]
    assert processor.decode(with_blanks) == " ".join(said) and "tʃʲ" in units.vocabulary
    names = list(units.vocabulary)
    greedy = " ".join(names[token] for token in scores.decoded(own.numpy()))
    assert processor.batch_decode(own.argmax(-1)[None])[0] == greedy


@pytest.mark.slow
def test_text_and_a_checkpoint_to_start_from(corpus, tmp_path):
    from transformers import HubertConfig, HubertModel

    base = HubertModel(HubertConfig(**TINY, feat_extract_norm="layer", do_stable_layer_norm=True))
    base.save_pretrained(tmp_path / "base")
    trained = ctc.train(job(corpus, tmp_path / "work", tmp_path / "base", units="text"))
    kept = trained.model.hubert.feature_extractor.state_dict()
    for name, value in base.feature_extractor.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), kept[name].numpy())
    assert [row["metric"] for row in trained.held_out] == ["character error rate"] * 2
    assert trained.extras[1].return_attention_mask
    tokenizer = trained.extras[0].tokenizer
    assert tokenizer.decode([each for one in tokenizer("hei sä").input_ids for each in (one, 0)]) == "hei sä"
    with pytest.raises(InputError, match="no model to start from"):
        ctc.train(job(corpus, tmp_path / "other", tmp_path / "nowhere"))


@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("frozen", [True, False])
def test_a_batch_changes_nothing(corpus, norm, frozen):
    import torch
    from transformers import HubertConfig, HubertModel

    torch.manual_seed(0)
    config = HubertConfig(**TINY, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer")
    model = HubertModel(config).eval()
    given = inputs.Inputs(model, corpus[0]["train"], frozen)
    with torch.inference_mode():
        together, frames = inputs.hidden(model, **inputs.batch([given[i] for i in range(4)]))
        for i in range(4):
            alone = model(torch.from_numpy(inputs.Sounds(corpus[0]["train"])[i])[None]).last_hidden_state[0]
            assert frames[i] == len(alone) == given.frames[i]
            off = (together[i, : frames[i]] - alone).norm(dim=1) / alone.norm(dim=1)
            assert off.max() < 1e-4
        sounds = [inputs.Sounds(corpus[0]["train"])[i] for i in range(3)]
        again, _ = last_states(model, *padded(sounds))
    np.testing.assert_allclose(again[2, : frames[2]], together[2, : frames[2]], atol=1e-4)


CENTRES = Timebase(0.02, 0.0125).times(10)


@pytest.mark.parametrize(
    "tokens, starts, ends, expected",
    [
        # Every frame whose centre is inside, the others blank.
        ([2, 3], [0.03, 0.10], [0.10, 0.16], [0, 2, 2, 2, 2, 3, 3, 3, 0, 0]),
        # A vowel and the tone of its syllable share the vowel's time.
        ([2, 3, 5], [0.0, 0.06, 0.0], [0.06, 0.18, 0.18], [2, 2, 2, 3, 3, 3, 5, 5, 5, 0]),
        # Equal neighbours are parted.
        ([2, 2], [0.0, 0.06], [0.06, 0.12], [2, 2, 0, 2, 2, 2, 0, 0, 0, 0]),
        # Too short for a frame: the nearest, from a neighbour that has others.
        ([2, 4, 3], [0.0, 0.075, 0.08], [0.075, 0.08, 0.14], [2, 2, 2, 4, 3, 3, 3, 0, 0, 0]),
    ],
)
def test_path_of_known_times(tokens, starts, ends, expected):
    assert targets.path(tokens, ends, starts, CENTRES).tolist() == expected


def test_path_is_one_that_ctc_sums_over():
    rng = np.random.default_rng(0)
    centres = Timebase(0.02, 0.0125).times(100)
    for _ in range(20):
        edges = np.cumsum(rng.uniform(0.041, 0.12, 15))
        tokens = rng.integers(1, 4, 14).tolist()
        path = targets.path(tokens, edges[1:], edges[:-1], centres)
        assert scores.decoded(np.eye(4)[path]) == tokens


def test_labels_of_two_tiers_are_told_apart_where_they_clash():
    both = [
        {"tier": "phone", "label": "a", "end_s": 0.2},
        {"tier": "tone", "label": "a", "end_s": 0.2},
        {"tier": "tone", "label": "H", "end_s": 0.3},
        {"tier": "phone", "label": "sil", "end_s": 0.4},
    ]
    row = {"utterance_id": "u", "text": None, "audio": "u.flac"}
    units = targets.units([row], {"u": both}, ("phone", "tone"))
    assert list(units.vocabulary) == ["<pad>", "<unk>", "H", "phone:a", "tone:a"]
    assert units.tokens(row, both) == [3, 4, 2]
    assert units.tokens(row, [{"tier": "phone", "label": "x"}]) == [1]
    assert targets.characters("Tälrö-ys, “l'ä”?  2") == "tälrö|ys|l'ä|2"


def test_errors_of_recognition():
    row = scores.recognition("dev", "phone error rate", [[1, 2, 3, 4], [5, 6]], [[1, 3, 4], [5, 6, 7]])
    assert row["value"] == pytest.approx(2 / 6) and row["n"] == 6
    assert row["chance"] == pytest.approx(7 / 6)
    assert scores.decoded(np.eye(3)[[0, 1, 1, 0, 1, 2, 2, 0]]) == [1, 1, 2]


def test_errors_of_boundaries():
    clock = Timebase(0.02, 0.01)
    log_probs = np.log(np.eye(3)[[0, 1, 1, 1, 2, 2, 0, 0, 0, 0]] * 0.9 + 0.05)
    rows, left_out = scores.boundaries(
        "dev", [log_probs, log_probs[:1]], [[1, 2]] * 2, [[0.02, 0.09]] * 2, [0.2] * 2, clock, within_s=0.005
    )
    assert left_out == 1 and [row["n"] for row in rows] == [2] * 3
    np.testing.assert_allclose([row["value"] for row in rows], [5, 9, 0.5], atol=1e-6)
    np.testing.assert_allclose([row["chance"] for row in rows], [15, 19, 1], atol=1e-6)


def test_what_cannot_be_learned_is_refused(corpus, tmp_path):
    with pytest.raises(InputError, match="no times"):
        ctc.train(job(corpus, tmp_path, units="text", frames_share=0.2))
    with pytest.raises(InputError, match="not known"):
        ctc.train(job(corpus, tmp_path, loss="mse"))
    with pytest.raises(InputError, match="no segments"):
        ctc.train(job((corpus[0], {}), tmp_path))
    with pytest.raises(InputError, match="too long"):
        ctc.train(job(corpus, tmp_path, longest_s=0.1))
    spaced = copy.deepcopy(corpus[1])
    spaced["u0"][0]["label"] = "a b"
    with pytest.raises(InputError, match="space"):
        ctc.train(job((corpus[0], spaced), tmp_path))


def test_batches_are_of_one_length_and_follow_from_seed_and_index():
    class Given:
        class inputs:
            frames = list(np.random.default_rng(1).integers(50, 400, 300))

        rows = [None] * 300

        def item(self, index, framewise):
            return {"index": index, "framewise": framewise}

    plan = ctc.schedule({"steps": 400, "batch": 4, "seed": 3})
    recipe = ctc.Recipe(units=["phone"], frames_share=0.25)
    items = ctc._Items(Given(), recipe, plan)
    assert len(items) == 1600
    found = [items[i] for i in range(1600)]
    assert [each["framewise"] for each in found] == [True] * 400 + [False] * 1200
    again = ctc._Items(Given(), recipe, plan)
    assert all(again[i] == found[i] for i in reversed(range(1600)))
    batches = np.array([Given.inputs.frames[each["index"]] for each in found]).reshape(400, 4)
    assert np.ptp(batches, axis=1).mean() < 60
    # Nobody is favoured for being short or long, and time does not go with length.
    assert abs(batches.mean() - np.mean(Given.inputs.frames)) < 10
    assert abs(np.corrcoef(np.arange(400), batches.mean(axis=1))[0, 1]) < 0.2
    with pytest.raises(IndexError):
        items[1600]
