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
MARKS = {
    "vietnamese": "\u0300\u0301\u0309\u0303\u0323",
    "thai": "่้๊๋",
    "lao": "່້໊໋",
    "burmese": "့း",
    "chao": "˥˦˧˨˩",
}
ONSETS = {
    "vietnamese": "b c k h kh l m n ng ngh t th đ d gi v x s tr ch ph",
    "thai": "ก ข ค ฆ ง จ ฉ ช ซ ส ศ ด ต ถ ท ธ น ณ บ ป ผ พ ภ ฝ ฟ ม ย ร ล ว ห ฮ อ หม หน หล กร กล คล ปล พร",
    "lao": "ກ ຂ ຄ ງ ຈ ສ ຊ ຍ ຢ ດ ຕ ຖ ທ ນ ໜ ຫນ ບ ປ ຜ ພ ຝ ຟ ມ ໝ ຫມ ລ ຫຼ ຫລ ວ ຫ ຮ ອ",
    "burmese": "က ခ ဂ ဃ င စ ဆ ဇ ည တ ထ ဒ ဓ န ပ ဖ ဗ ဘ မ ယ ရ လ သ ဟ အ ကျ ကြ မြ မှ နှ လှ ရှ",
    "chao": "p t k m n pʰ tʰ kʰ t͡s s",
}
# How many of the onsets sound different.
N_ONSETS = {"vietnamese": 16, "thai": 25, "lao": 20, "burmese": 26, "chao": 10}
# Rhymes that sound different.
RHYMES = {
    "vietnamese": "{o}a- {o}a-i {o}a-y {o}a-o {o}a-n {o}a-ng {o}ă-n {o}o-n {o}ô-n {o}ơ-n {o}u-i {o}u-n",
    "thai": "{o}-า {o}-าน {o}-าง {o}-าย {o}ี- {o}ิ-น {o}ื-น {o}ู- เ{o}- แ{o}- โ{o}- {o}-อ เ{o}ี-ย เ{o}ื-อ {o}ั-ว "
    "เ{o}-า ไ{o}- {o}-ำ {o}ั-ง {o}-น {o}-อย",
    "lao": "{o}-າ {o}-ານ {o}-າງ {o}-າຍ {o}ີ- {o}ິ-ນ {o}ື-ນ {o}ູ- ເ{o}- ແ{o}- ໂ{o}- {o}ໍ- ເ{o}ື-ອ {o}ົ-ວ ເ{o}ົ-າ "
    "ໄ{o}- {o}-ຳ {o}ັ-ງ {o}ົ-ນ {o}-ອຍ",
    "burmese": "{o}ာ- {o}ီ- {o}ူ- {o}ေ- {o}ဲ- {o}ော- {o}ို- {o}င်- {o}န်- {o}ိန်- {o}ုန်- {o}ောင်- {o}ိုင်- {o}တ်- {o}က်- "
    "{o}စ်-",
    "chao": "{o}a- {o}i- {o}ai- {o}a-n {o}ã- {o}o-",
}
EVERYTHING = st.text(max_size=60)


@pytest.mark.parametrize("name", tones.RULES)
def test_a_rule_is_a_module(name):
    module = tones.rule(name)
    assert isinstance(module.TONES, tuple)
    assert callable(module.tone) and callable(module.kind) and callable(module.syllables)


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
        assert (each.tone is None) == (each.kind is None)
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
        assert not set(module.kind(text)) & set(MARKS[name])
    except tones.Unreadable as error:
        assert error.syllable == text and error.reason


def readable(name, onset, rhyme):
    """Tones and kinds of a syllable with each mark; ``-`` in the rhyme is the place of the mark."""
    module, found = tones.rule(name), []
    for mark in ["", *MARKS[name]]:
        word = rhyme.replace("{o}", onset).replace("-", mark)
        try:
            found.append((module.tone(word), module.kind(word)))
        except tones.Unreadable:
            continue
    return found


@pytest.mark.parametrize("name", tones.RULES)
def test_a_mark_of_tone_does_not_change_the_kind(name):
    several, kinds = 0, set()
    for onset in ONSETS[name].split():
        mine = set()
        for rhyme in RHYMES[name].split():
            found = readable(name, onset, rhyme)
            assert len({kind for _, kind in found}) <= 1, (onset, rhyme, found)
            several += len({tone for tone, _ in found}) > 1
            assert not mine & {kind for _, kind in found}, (onset, rhyme)
            mine |= {kind for _, kind in found}
        kinds |= mine
    # Of each rule most are readable with several tones, and rhymes that sound different stay apart.
    n_rhymes, n_sounds = len(RHYMES[name].split()), len(ONSETS[name].split())
    assert several > 0.6 * n_rhymes * n_sounds
    assert len(kinds) >= 0.9 * n_rhymes * N_ONSETS[name]


@pytest.mark.parametrize("name", tones.RULES)
def test_time_grows_with_the_text(name):
    module = tones.rule(name)
    module.syllables(SCRIPTS[name])  # imports and dictionaries
    for unit in (SCRIPTS[name].strip(), SCRIPTS[name][0], SCRIPTS[name][:3], SCRIPTS[name][-3:]):
        start = time.perf_counter()
        module.syllables(unit * (20_000 // len(unit)))
        assert time.perf_counter() - start < 20
