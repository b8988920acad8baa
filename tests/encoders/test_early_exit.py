"""Early exit: ordinary decoding at the top, a hand-written greedy loop below it."""

import json
from pathlib import Path

import numpy as np
import pytest

from phonoscope.encoders import early_exit, whisper
from phonoscope.errors import InputError

MODELS = Path(__file__).resolve().parents[2] / "resources" / "models"
SHIPPED = ("whisper-tiny-transcribe", "whisper-tiny-translate")
LANGUAGES = ["en", "fi", "ru", "es", "fi"]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Function from a model's name to its folder: the shipped ones, and a larger one of random weights."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    folder = tmp_path_factory.mktemp("random")
    options = json.loads((MODELS / SHIPPED[0] / "config.json").read_text())
    options |= {"d_model": 256, "encoder_layers": 6, "decoder_layers": 3, "max_target_positions": 40}
    options |= {"encoder_attention_heads": 8, "decoder_attention_heads": 8, "init_std": 0.3}
    torch.manual_seed(1)
    WhisperForConditionalGeneration(WhisperConfig(**options)).save_pretrained(folder)
    for path in (MODELS / SHIPPED[0]).iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            (folder / path.name).write_bytes(path.read_bytes())
    return lambda name: folder if name == "random" else MODELS / name


@pytest.fixture(scope="module")
def model_of(folder_of):
    loaded = {}

    def make(name):
        if name not in loaded:
            loaded[name] = whisper.load({"name": name, "path": str(folder_of(name))})
        return loaded[name]

    return make


@pytest.fixture
def sounds(speechlike):
    return [speechlike(seconds, seed) for seed, seconds in enumerate((2.9, 1.3, 0.7, 2.0, 1.6))]


@pytest.fixture
def sentences():
    """Recordings of synthetic-parallel in the order of LANGUAGES."""
    from phonoscope.corpora.audio import load

    folder = MODELS.parent / "corpora" / "synthetic-parallel" / "audio"
    return [load(folder / f"s00{k}_{code}.flac")[0] for k, code in enumerate(LANGUAGES, start=1)]


@pytest.mark.parametrize("name", [*SHIPPED, "random"])
@pytest.mark.parametrize("task", ["transcribe", "translate"])
def test_the_last_layer_is_ordinary_decoding(folder_of, model_of, sounds, sentences, name, task):
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    network = WhisperForConditionalGeneration.from_pretrained(folder_of(name), dtype="float32").eval()
    processor = WhisperProcessor.from_pretrained(folder_of(name))
    model = model_of(name)
    for audios in (sounds, sentences):
        found = early_exit.decode(model, audios, [model.depth], LANGUAGES, task)[model.depth]
        features = processor.feature_extractor(audios, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            expected = network.generate(features["input_features"], language=LANGUAGES, task=task)
        texts = processor.batch_decode(expected, skip_special_tokens=True)
        end = network.generation_config.eos_token_id
        for one, tokens, text in zip(found, expected.tolist(), texts, strict=True):
            assert list(one.tokens) == (tokens[: tokens.index(end)] if end in tokens else tokens)
            assert one.text == text.strip()
        assert [one.language for one in found] == LANGUAGES


def by_hand(model, audio, layer, language, norm, most):
    """Block by block, and the whole text anew for every token."""
    import torch

    encoder, network = model.network.model.encoder, model.network
    with torch.inference_mode():
        features = model.extractor(audio, sampling_rate=16000, return_tensors="pt")["input_features"]
        gelu = torch.nn.functional.gelu
        state = gelu(encoder.conv2(gelu(encoder.conv1(features)))).transpose(1, 2)
        state = state + encoder.embed_positions.weight
        for block in encoder.layers[:layer]:
            out = block(state, None)
            state = out[0] if isinstance(out, tuple) else out
        state = encoder.layer_norm(state) if norm else state
        line = model.prompt(language)
        start = len(line)
        while len(line) < start + most:
            hidden = network.model.decoder(
                torch.tensor([line]), encoder_hidden_states=state, use_cache=False
            ).last_hidden_state
            token = int(network.proj_out(hidden[0, -1]).argmax())
            if token == network.generation_config.eos_token_id:
                return tuple(line[start:]), True
            line.append(token)
    return tuple(line[start:]), False


@pytest.mark.parametrize("name", ["whisper-tiny-transcribe", "random"])
@pytest.mark.parametrize("norm", [True, False])
def test_every_layer_equals_a_greedy_loop(model_of, sentences, name, norm):
    model = model_of(name)
    layers = list(range(model.depth, -1, -1))
    found = early_exit.decode(model, sentences[:2], layers, LANGUAGES[:2], norm=norm, max_new_tokens=24)
    assert sorted(found) == sorted(layers)
    texts = set()
    for layer in layers:
        for one, audio, language in zip(found[layer], sentences, LANGUAGES, strict=False):
            expected = by_hand(model, audio, layer, language, norm, 24)
            assert (one.tokens, one.ended) == expected
            texts.add(one.tokens)
    # Layers and utterances differ, or nothing would be tested.
    assert len(texts) > model.depth


def test_loops_are_cut(model_of, sounds):
    model = model_of("random")
    found = early_exit.decode(model, sounds, [0, 6], "en", max_new_tokens=7)
    cut = [one for layer in (0, 6) for one in found[layer] if not one.ended]
    assert cut and all(len(one.tokens) == 7 for one in cut)
    # Without a bound of ours, the decoder's positions are one: 40, of which the prompt takes 4.
    longest = early_exit.decode(model, sounds, [6], "en")[6]
    assert max(len(one.tokens) for one in longest) == 36
    assert [one.tokens[:7] for one in longest] == [one.tokens for one in found[6]]


def test_one_pass_of_the_encoder_for_all_layers(model_of, sounds):
    model, passes = model_of("whisper-tiny-transcribe"), []
    handle = model.network.model.encoder.register_forward_hook(lambda *args: passes.append(1))
    early_exit.decode(model, sounds * 2, range(5), "en", max_new_tokens=3)
    handle.remove()
    assert len(passes) == 2  # batches of 8 and 2


def test_unknown_languages_are_detected_at_the_top_for_all_layers(model_of, sentences):
    import torch

    model = model_of("whisper-tiny-transcribe")
    features = model.features(sentences, list("abcde"))
    with torch.inference_mode():
        numbers = model.network.detect_language(features).tolist()
    detected = [next(code for code, number in model.languages.items() if number == n) for n in numbers]
    assert len(set(detected)) > 1
    found = early_exit.decode(model, sentences, [1, 4], None, max_new_tokens=20)
    assert found == early_exit.decode(model, sentences, [1, 4], detected, max_new_tokens=20)
    mixed = early_exit.decode(model, sentences, [1], ["es", None, None, "es", None], max_new_tokens=20)[1]
    assert [one.language for one in mixed] == ["es", *detected[1:3], "es", detected[4]]
    assert [mixed[k] for k in (1, 2, 4)] == [found[1][k] for k in (1, 2, 4)]


def test_english_only_models(folder_of, tmp_path, sentences):
    for path in folder_of("whisper-tiny-transcribe").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    told = json.loads((tmp_path / "generation_config.json").read_text())
    told["is_multilingual"] = False
    del told["lang_to_id"], told["task_to_id"]
    (tmp_path / "generation_config.json").write_text(json.dumps(told))
    model = whisper.load({"path": str(tmp_path)})
    found = early_exit.decode(model, sentences[:1], [2], "en", max_new_tokens=20)
    assert found[2][0].tokens == by_hand(model, sentences[0], 2, "en", True, 20)[0]
    assert early_exit.decode(model, sentences[:1], [2], max_new_tokens=20)[2][0].language is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": [5]}, "no layer 5: it has 4 transformer blocks"),
        ({"layers": [-1]}, "no layer -1"),
        ({"languages": "ast"}, "no token for the language 'ast'.*let it be detected.*en, es, fi, ru"),
        ({"task": "sing"}, "no task 'sing'"),
        ({"audios": [np.zeros(50000, np.float32)]}, "u: 3.1 s are more than the 3 s"),
        ({"audios": [np.zeros(0, np.float32)]}, "u: the audio is empty"),
    ],
)
def test_bad_input_is_named(model_of, sounds, change, message):
    given = {"audios": sounds[:1], "layers": [4], "languages": "en", "names": ["u"]} | change
    with pytest.raises(InputError, match=message):
        early_exit.decode(model_of("whisper-tiny-transcribe"), **given)


def test_states_that_are_not_finite_are_named(folder_of, sounds):
    model = whisper.load({"name": "broken", "path": str(folder_of("whisper-tiny-transcribe"))})

    def spoil(module, args, output):
        state = output[0] if isinstance(output, tuple) else output
        state[1, 140, 3] = float("inf")

    handle = model.network.model.encoder.layers[2].register_forward_hook(spoil)
    options = {"names": ["a", "b", "c"], "max_new_tokens": 3}
    assert set(early_exit.decode(model, sounds[:3], [0, 1, 2], "en", **options)) == {0, 1, 2}
    with pytest.raises(InputError, match="b: layer 3 of model broken has NaN or infinite states"):
        early_exit.decode(model, sounds[:3], [1, 3], "en", **options)
    with pytest.raises(InputError, match="b: layer 4"):
        early_exit.decode(model, sounds[:3], [1], None, **options)
    handle.remove()


def test_silence_and_no_utterance(model_of):
    model = model_of("whisper-tiny-transcribe")
    found = early_exit.decode(model, [np.zeros(1, np.float32)], [0, 4], "en")
    assert all(isinstance(one.text, str) for each in found.values() for one in each)
    assert early_exit.decode(model, [], [0, 4], "en") == {0: [], 4: []}
