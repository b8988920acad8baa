"""Word times by cross-attention: against all paths, planted staircases, transformers and exact times."""

import json
from pathlib import Path

import numpy as np
import pytest

from phonoscope.corpora.audio import load as load_audio
from phonoscope.encoders import alignment_heads, teacher_forcing, whisper, word_errors, word_times
from phonoscope.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "resources" / "corpora" / "synthetic-parallel"
UPPER = [(1, 0), (1, 1), (1, 2), (1, 3)]
TEXTS = ["In the park  Nina is singing.", "Anna syö — tänään pitsaa!", "Да."]
LANGUAGES = ["en", "fi", "ru"]


@pytest.fixture(scope="module")
def model():
    return whisper.load({"path": str(ROOT / "resources" / "models" / "whisper-tiny-transcribe")})


@pytest.fixture(scope="module")
def spoken():
    """Recordings of a split with their known words: lists of audio, text, language, words, name."""
    import pyarrow.parquet as pq

    words = {}
    for row in pq.read_table(CORPUS / "segments.parquet", filters=[("tier", "=", "word")]).to_pylist():
        words.setdefault(row["utterance_id"], []).append((row["label"], row["start_s"], row["end_s"]))

    def make(split, step):
        rows = pq.read_table(CORPUS / "recordings.parquet", filters=[("split", "=", split)]).to_pylist()
        rows = rows[::step]
        audios = [load_audio(CORPUS / row["audio"])[0] for row in rows]
        known = [words[row["utterance_id"]] for row in rows]
        names = [row["utterance_id"] for row in rows]
        return audios, [row["text"] for row in rows], [row["language"] for row in rows], known, names

    return make


@pytest.fixture
def sounds(speechlike):
    return [speechlike(seconds, seed) for seed, seconds in enumerate((2.1, 1.3, 0.7))]


def paths(n_rows, n_frames):
    """Every path, as lists of (row, frame)."""

    def on(row, frame):
        if (row, frame) == (n_rows - 1, n_frames - 1):
            yield [(row, frame)]
            return
        for down, right in ((1, 1), (0, 1), (1, 0)):
            if row + down < n_rows and frame + right < n_frames:
                for rest in on(row + down, frame + right):
                    yield [(row, frame), *rest]

    return on(0, 0)


def firsts(path, n_rows):
    return tuple(min(frame for row, frame in path if row == k) for k in range(n_rows))


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (3, 5), (5, 3), (4, 4), (2, 7)])
@pytest.mark.parametrize("kind", ["normal", "integer", "equal", "huge"])
def test_path_is_the_best_of_all(shape, kind):
    rng = np.random.default_rng(sum(shape))
    for _ in range(10):
        scores = rng.standard_normal(shape)
        if kind != "normal":
            scores = {"integer": np.round(scores), "equal": np.ones(shape), "huge": 1e12 * scores}[kind]
        sums = {}
        for path in paths(*shape):
            key, total = firsts(path, shape[0]), sum(scores[cell] for cell in path)
            sums[key] = max(total, sums.get(key, -np.inf))
        found = sums[tuple(word_times.first_frames(scores).tolist())]
        assert found >= max(sums.values()) - 1e-9 * np.abs(scores).max()


def test_path_and_map_are_those_of_transformers():
    import torch
    from transformers.models.whisper.generation_whisper import _dynamic_time_warping, _median_filter

    rng = np.random.default_rng(0)
    for n_heads, n_rows, n_frames in ((1, 12, 90), (4, 40, 33), (3, 5, 4), (2, 5, 3), (2, 3, 1)):
        attention = rng.dirichlet(np.full(n_frames, 0.3), size=(n_heads, n_rows))
        scores = torch.from_numpy(attention)
        scores = (scores - scores.mean(-2, keepdim=True)) / scores.std(-2, keepdim=True, unbiased=False)
        if n_frames == 1:
            scores[:] = 0  # all positions attend alike: there 0 / 0
        expected = _median_filter(scores, word_times.MEDIAN_WIDTH).numpy()
        np.testing.assert_allclose(word_times.head_maps(attention), expected, atol=1e-9)
        mean = word_times.alignment_map(attention)
        np.testing.assert_allclose(mean, expected.mean(axis=0), atol=1e-9)
        # Of z-scores many paths are equally good (each frame's sum is 0), of noise one is the best.
        noise = rng.standard_normal((n_rows, n_frames))
        rows, frames = _dynamic_time_warping(-noise)
        begins = frames[np.flatnonzero(np.diff(rows, prepend=-1))]
        np.testing.assert_array_equal(word_times.first_frames(noise), begins)


def test_attention_and_probabilities_are_those_of_the_model(model, sounds):
    import torch
    from transformers import WhisperForConditionalGeneration

    plain = WhisperForConditionalGeneration.from_pretrained(
        ROOT / "resources/models/whisper-tiny-transcribe", dtype="float32", attn_implementation="eager"
    ).eval()
    heads = [(1, 3), (0, 0), (1, 0)]
    options = {"leading_space": False, "names": ["a", "b", "c"]}
    together = list(teacher_forcing.teacher_force(model, sounds, TEXTS, LANGUAGES, heads, **options))
    for forced, audio, text, language in zip(together, sounds, TEXTS, LANGUAGES, strict=True):
        features = model.extractor(audio, sampling_rate=16000, return_tensors="pt")["input_features"]
        tokens = model.tokenizer.encode(" ".join(text.split()), add_special_tokens=False)
        prompt = model.tokenizer.convert_tokens_to_ids(
            ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
        )
        line = torch.tensor([prompt + tokens])
        with torch.inference_mode():
            out = plain(features, decoder_input_ids=line, output_attentions=True)
        n_frames = -(-len(audio) // 320)
        for found, (layer, head) in zip(forced.attention, heads, strict=True):
            expected = out.cross_attentions[layer][0, head, :, :n_frames]
            expected = expected / expected.sum(dim=-1, keepdim=True)
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-3, atol=1e-6)
        log_probs = out.logits[0].log_softmax(-1)[3:-1][range(len(tokens)), tokens]
        np.testing.assert_allclose(forced.log_probs, log_probs.numpy(), rtol=1e-3, atol=1e-4)
        assert forced.n_prompt == 4 and forced.attention.shape[1] == line.shape[1]


def staircase(starts, n_positions, n_frames):
    """Attention of positions that each look at their own stretch of frames, from the last prompt position."""
    attention = np.full((n_positions, n_frames), 1e-3)
    edges = [*starts, n_frames]
    attention[:3, : edges[1]] = 1
    for k, (first, last) in enumerate(zip(edges, edges[1:], strict=False)):
        attention[3 + k, first:last] = 1
    return attention / attention.sum(axis=1, keepdims=True)


@pytest.fixture
def planted(monkeypatch):
    """Put a known staircase in the place of some heads, noise in that of all others."""

    def plant(good, starts_of):
        import torch

        rng = np.random.default_rng(0)

        def attention(layers, projections, heads, item, n_positions, n_frames):
            starts = starts_of(item, n_positions, n_frames)
            maps = [
                staircase(starts, n_positions, n_frames)
                if tuple(pair) in good
                else rng.dirichlet(np.ones(n_frames), size=n_positions)
                for pair in heads
            ]
            return torch.from_numpy(np.stack(maps))

        monkeypatch.setattr(teacher_forcing, "_attention", attention)

    return plant


def uneven(item, n_positions, n_frames):
    """Starts of the text's tokens and of its end, at least 3 frames apart."""
    steps = 3 + np.random.default_rng([item, n_positions]).integers(0, 3, n_positions - 4)
    starts = np.concatenate([[0], np.cumsum(steps)])
    assert starts[-1] < n_frames
    return starts.tolist()


def test_planted_staircase_is_read_to_the_frame(model, speechlike, planted):
    planted({(1, 2), (0, 1)}, uneven)
    texts = ["In the park Nina is singing.", "Anna — kala!", "Да."]
    audios = [speechlike(2.9, k) for k in range(3)]
    found = word_times.word_times(
        model, audios, texts, LANGUAGES, [(1, 2), (0, 1)], leading_space=False, names=["x", "y", "z"]
    )
    expected_words = [["In", "the", "park", "Nina", "is", "singing"], ["Anna", "kala"], ["Да"]]
    for item, (rows, text) in enumerate(zip(found, texts, strict=True)):
        offsets = model.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        offsets = offsets["offset_mapping"]
        starts = uneven(item, 4 + len(offsets), 145)
        assert [row["word"] for row in rows] == expected_words[item]
        assert {row["utterance_id"] for row in rows} == {"xyz"[item]}
        place = 0
        for row in rows:
            place = text.index(row["word"], place)
            # The first token that reaches beyond the space before the word, or is that space.
            before = max(0, place - 1)
            first = next(k for k, (low, high) in enumerate(offsets) if high > before)
            space = text.find(" ", place)
            last = next((k for k, (low, high) in enumerate(offsets) if high > space), None)
            last = len(offsets) if space < 0 else last
            assert row["start_s"] == pytest.approx(max(0, (starts[first] - 0.5) * 0.02))
            assert row["end_s"] == pytest.approx((starts[last] - 0.5) * 0.02)
            assert row["centre_s"] == pytest.approx((row["start_s"] + row["end_s"]) / 2)
            assert 0 < row["score"] <= 1


def test_score_is_the_geometric_mean(model, sounds):
    forced = next(teacher_forcing.teacher_force(model, sounds[:1], TEXTS[:1], ["en"], UPPER))
    rows = word_times.times_of_words(forced, word_times.alignment_map(forced.attention), model.timebase)
    for row, (word, tokens) in zip(rows, forced.words, strict=True):
        assert row["word"] == word
        probabilities = np.exp(forced.log_probs[tokens].astype(float))
        assert row["score"] == pytest.approx(probabilities.prod() ** (1 / len(tokens)))


def test_a_batch_changes_nothing(model, sounds):
    def times(*indices):
        chosen = [[each[i] for i in indices] for each in (sounds, TEXTS, LANGUAGES)]
        return word_times.word_times(model, *chosen, UPPER, leading_space=False)

    for together, alone in zip(times(0, 1, 2), (times(0), times(1), times(2)), strict=True):
        for one, two in zip(together, alone[0], strict=True):
            assert one | {"utterance_id": 0, "score": 0} == two | {"utterance_id": 0, "score": 0}
            assert one["score"] == pytest.approx(two["score"], rel=1e-3)


def test_planted_head_is_chosen(model, speechlike, planted):
    planted({(0, 2)}, uneven)
    audios = [speechlike(2.9, k) for k in range(3)]
    texts = ["In the park Nina sings.", "Anna kala!", "Да нет."]
    right = word_times.word_times(model, audios, texts, LANGUAGES, [(0, 2)], leading_space=False)
    known = [[(row["word"].lower(), row["start_s"], row["end_s"]) for row in rows] for rows in right]
    heads, error_s = alignment_heads.choose_heads(model, audios, texts, LANGUAGES, known, leading_space=False)
    assert (heads, error_s) == ([(0, 2)], 0)


def test_heads_of_the_generation_config_or_the_upper_half(model, monkeypatch):
    assert alignment_heads.given_heads(model) == UPPER
    monkeypatch.setattr(model.network.generation_config, "alignment_heads", [[1, 1], [0, 3]], raising=False)
    assert alignment_heads.given_heads(model) == [(1, 1), (0, 3)]


# Median error of word centres on the test recordings, in ms; heads chosen on training recordings.
MEASURED = {"whisper-tiny-transcribe": 49.4, "whisper-tiny-translate": 69.5}


@pytest.mark.parametrize("name", MEASURED)
def test_shipped_models_against_exact_times(name, spoken):
    model = whisper.load({"path": str(ROOT / "resources" / "models" / name)})
    options = {"leading_space": False}
    heads, on_training = alignment_heads.choose_heads(model, *spoken("train", 12)[:4], **options)
    audios, texts, languages, known, names = spoken("test", 4)
    found = word_times.word_times(model, audios, texts, languages, heads, names=names, **options)

    def median(rows_of):
        each = [
            word_errors.errors(rows_of(k, rows), words)
            for k, (rows, words) in enumerate(zip(found, known, strict=True))
        ]
        return 1000 * np.median(np.abs(np.concatenate(each)[:, 2]))

    assert median(lambda k, rows: rows) < 1.25 * MEASURED[name]
    assert 1000 * on_training < 1.25 * MEASURED[name]
    rng = np.random.default_rng(0)

    def at_random(k, rows):
        edges = np.sort(rng.uniform(0, len(audios[k]) / 16000, len(rows) + 1))
        return [row | {"start_s": a, "end_s": b} for row, a, b in zip(rows, edges, edges[1:], strict=False)]

    assert median(at_random) > 2 * MEASURED[name]


def row(word, start_s, end_s):
    return {"utterance_id": "u", "word": word, "start_s": start_s, "end_s": end_s}


def test_errors_of_words_of_segments_and_of_pieces():
    found = [row("In", 0, 0.3), row("the", 0.3, 0.5), row("Café", 0.5, 1.0), row("我", 1, 2), row("们", 2, 4)]
    known = [("in the", 0.1, 0.6), ("café", 0.4, 1.0), ("我们", 1.5, 3.5)]
    np.testing.assert_allclose(
        word_errors.errors(found, known), [[-0.1, -0.1, -0.1], [0.1, 0, 0.05], [-0.5, 0.5, 0]], atol=1e-12
    )
    assert word_errors.errors([], []).shape == (0, 3)
    for wrong in ([("in", 0, 1)], [("in the", 0, 1), ("tea", 0, 1)], [*known, ("more", 0, 1)]):
        with pytest.raises(InputError, match="u: "):
            word_errors.errors(found, wrong)


def test_equal_parts():
    found = word_errors.equal_parts([row("ab", 9, 9), row("c", 9, 9), row("ded", 9, 9)], 3.0)
    assert [(each["start_s"], each["end_s"], each["centre_s"]) for each in found] == [
        (0, 1, 0.5),
        (1, 1.5, 1.25),
        (1.5, 3, 2.25),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": [""]}, "utterance 0: the text has no word"),
        ({"texts": [None]}, "no word"),
        ({"texts": [" — … "]}, "no word"),
        ({"texts": ["ab " * 60]}, "utterance 0: the text has .* tokens, and the decoder .* takes 92"),
        ({"languages": ["de"]}, "no token for the language 'de'"),
        ({"languages": [None]}, "no token for the language None"),
        ({"heads": []}, "no head is given"),
        ({"heads": [(1, 0), (2, 0)]}, r"no cross-attention head \(2, 0\)"),
        ({"task": "sing"}, "no task 'sing'"),
        ({"audios": [np.zeros(48001, np.float32)]}, "utterance 0: 3.0 s are more than the 3 s"),
        ({"audios": [np.zeros(0, np.float32)]}, "utterance 0: the audio is empty"),
    ],
)
def test_bad_input_is_named(model, sounds, change, message):
    given = {"audios": sounds[:1], "texts": ["Anna."], "languages": ["fi"], "heads": UPPER} | change
    with pytest.raises(InputError, match=message):
        word_times.word_times(model, **given)


def test_nan_attention_is_named(sounds):
    broken = whisper.load({"path": str(ROOT / "resources" / "models" / "whisper-tiny-transcribe")})
    broken.network.model.decoder.layers[1].encoder_attn.q_proj.bias.data[0] = float("nan")
    with pytest.raises(InputError, match="b: model .* NaN"):
        word_times.word_times(broken, sounds[:1], TEXTS[:1], ["en"], UPPER, names=["b"])


def test_special_tokens_in_a_text_are_text(model, sounds):
    forced = next(teacher_forcing.teacher_force(model, sounds[:1], ["a <|endoftext|> b"], ["en"], UPPER))
    assert [word for word, _ in forced.words] == ["a", "endoftext", "b"]
    assert forced.words[1][1][-1] - forced.words[1][1][0] > 3


def test_prompt_is_that_of_generation(model, sounds):
    """What generate puts before the text, seen at the decoder's door."""
    import torch

    seen = []

    def look(module, args, kwargs):
        seen.append(kwargs["input_ids"].tolist())

    features = model.features(sounds, ["a", "b", "c"])
    handle = model.network.model.decoder.register_forward_pre_hook(look, with_kwargs=True)
    with torch.inference_mode():
        model.network.generate(features, language=LANGUAGES, task="translate", max_new_tokens=2)
    handle.remove()
    assert seen[0] == [model.prompt(code, "translate") for code in LANGUAGES]


def test_languages_by_their_names():
    known = {"fi": 1, "zh": 2, "en": 3, "no": 4, "tl": 5}
    names = {"fi": "fi", "fi_fi": "fi", "Finnish": "fi", "en-GB": "en", "cmn_hans_cn": "zh", "nb_no": "no"}
    names |= {"fil_ph": "tl", "ast_es": None, "": None, "de": None, "xx_fi": None, "mandarin": "zh"}
    assert {name: whisper.language_code(name, known) for name in names} == names


@pytest.fixture
def folder(tmp_path):
    """A copy of a shipped model, to be broken."""
    for path in (ROOT / "resources" / "models" / "whisper-tiny-transcribe").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_models_that_cannot_write_are_named(folder):
    from safetensors.numpy import load_file, save_file

    def loading(message, model=None):
        with pytest.raises(InputError, match=message):
            whisper.load({"name": "broken", "path": str(folder)} | (model or {}))

    loading("broken has 4 transformer blocks, not 5", {"depth": 5})
    loading("is a hubert, which has no decoder", {"path": str(ROOT / "resources/models/hubert-fi")})
    weights = load_file(folder / "model.safetensors")
    save_file(
        {key: value for key, value in weights.items() if "decoder" not in key},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    loading("broken has no decoder")
    save_file(
        {key: value for key, value in weights.items() if "conv2" not in key},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    loading("lacks 2 weights")
    (folder / "model.safetensors").write_bytes(b"no weights")
    loading("weights of model broken cannot be loaded")
    (folder / "model.safetensors").unlink()
    loading("no safetensors")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").rename(folder / "kept")
    loading("no tokenizer")
    (folder / "kept").rename(folder / "tokenizer.json")
    told = json.loads((folder / "generation_config.json").read_text())
    del told["lang_to_id"]
    (folder / "generation_config.json").write_text(json.dumps(told))
    loading("generation config of model broken lacks lang_to_id")


def test_an_english_only_model(folder):
    told = json.loads((folder / "generation_config.json").read_text())
    told["is_multilingual"] = False
    del told["lang_to_id"], told["task_to_id"]
    (folder / "generation_config.json").write_text(json.dumps(told))
    model = whisper.load({"path": str(folder)})
    assert model.prompt(None) == model.prompt("en") == [601, 707]
    with pytest.raises(InputError, match="no task"):
        model.prompt("en", "translate")
    with pytest.raises(InputError, match="language 'fi'"):
        model.prompt("fi")
