"""What holds for every rule: names, offsets, and that no text breaks it."""

import itertools
import pickle
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonoscope.alignment import tones
from phonoscope.errors import InputError

SCRIPTS = {
    "vietnamese": "abcdđeghiknoprtuyăâêôơư\u0300\u0301\u0309\u0303\u0323 ",
    "thai": "กขคฆงจตทนปพมยรลวศสหอฤะัาำิีึืุูเแโใไ็่้๊๋์ๆฯ.",
    "lao": "ກຂຄງຈສຊຍດຕນບປມຢຣລວຫອຮໜໝະັາຳິີຶືຸູົຼຽເແໂໃໄ່້໊໋ໍ໌ໆຯ",
    "burmese": "ကခငစညဉတနပမယရလသဿအဣဥဩ၏၍၎ာါိီုူေဲံ့း္်ျြွှ",
    "chao": "ptkmnrʔʰaeiouə\u0303\u0329ː˥˦˧˨˩ ",
}
EVERYTHING = st.text(max_size=60)


@pytest.mark.parametrize("name", tones.RULES)
def test_a_rule_is_a_module(name):
    module = tones.rule(name)
    assert isinstance(module.TONES, tuple) and callable(module.tone) and callable(module.syllables)


def test_an_unknown_rule_is_named():
    with pytest.raises(InputError, match="no tone rule 'khmer'.*vietnamese, thai, lao, burmese, chao"):
        tones.rule("khmer")


def test_a_rule_is_imported_when_asked_for():
    code = (
        "import sys; from phonoscope.alignment import tones; tones.rule('burmese').syllables('က');"
        "assert not {'pythainlp', 'laonlp', 'torch', 'pandas', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_unreadable_survives_pickling():
    error = pickle.loads(pickle.dumps(tones.Unreadable("x", "why")))
    assert (error.syllable, error.reason, str(error)) == ("x", "why", "'x': why")


def check(name, text):
    """Syllables in order, apart, as in the text, with a tone or a reason; letters and numbers in one."""
    module = tones.rule(name)
    found = module.syllables(text)
    assert all(each.text == text[each.start : each.end] and each.text for each in found)
    assert all(one.end <= two.start for one, two in itertools.pairwise(found))
    for each in found:
        assert (each.tone is None) != (each.reason is None)
        assert each.tone is None or not module.TONES or each.tone in module.TONES
    covered = {i for each in found for i in range(each.start, each.end)}
    assert all(i in covered for i, character in enumerate(text) if character.isalnum())


@pytest.mark.parametrize("name", tones.RULES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_syllables_are_slices_of_any_text(name, data):
    own = st.text(alphabet=SCRIPTS[name], max_size=30)
    check(name, data.draw(st.one_of(own, EVERYTHING, st.lists(st.one_of(own, EVERYTHING)).map("".join))))


@pytest.mark.parametrize("name", tones.RULES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_tone_is_a_label_or_unreadable(name, data):
    module = tones.rule(name)
    text = data.draw(st.one_of(st.text(alphabet=SCRIPTS[name], max_size=8), st.text(max_size=8)))
    try:
        assert not module.TONES or module.tone(text) in module.TONES
    except tones.Unreadable as error:
        assert error.syllable == text and error.reason


@pytest.mark.parametrize("name", tones.RULES)
def test_time_grows_with_the_text(name):
    module = tones.rule(name)
    module.syllables(SCRIPTS[name])  # imports and dictionaries
    for unit in (SCRIPTS[name].strip(), SCRIPTS[name][0], SCRIPTS[name][:3], SCRIPTS[name][-3:]):
        start = time.perf_counter()
        module.syllables(unit * (20_000 // len(unit)))
        assert time.perf_counter() - start < 20
