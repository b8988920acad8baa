"""Proper nouns of texts: by spaCy, by capital letters within the sentence, by a list of names."""

import logging
import re
import unicodedata

from phonoscope.alignment.pronounce import between_spaces, unspaced
from phonoscope.errors import InputError

# Languages that write every noun with a capital.
NOUNS_CAPITALISED = frozenset({"de", "deu", "gsw", "ksh", "lb", "ltz", "nds"})
# In a heading the words with this many letters have capitals; with fewer such words a text is none.
HEADING_LETTERS, HEADING_WORDS = 4, 3
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
# A capital after these may be that of a sentence or a quotation.
_OPENS = re.compile(
    r"""[.!?…][\s"'”’»)\]]*$ | :\s*$ | (?:^|\s)["'“”„«‹‘’]+$ | [“„«‹¿¡(\[{]\s*$""", re.VERBOSE
)
# But not after an initial or a title: J. Smith, Dr. Smith.
_SHORT = re.compile(r"(?<!\w)(\w{1,3})\.\s*$")


def find(texts, language, model=None, names=()):
    """Proper nouns of texts of one language.

    With a spaCy model: what it tags as PROPN. Else a word with a capital that is not the first of a
    sentence, a quotation or a bracket; a first word is one if it stands elsewhere in these texts, within a
    sentence, and there always with a capital. Single letters (*I*) are none. Adjectives and months with a
    capital are taken along; a name that stands only at beginnings is missed. Capitals are not asked where all
    nouns have them (German), in headings, and in texts without any. Names of the list count always.

    Parameters
    ----------
    texts : sequence of str
    language : str
        ISO 639 code, for its use of capitals and for messages.
    model : str, optional
        A spaCy model that is installed, or its folder.
    names : iterable of str
        Words or rows of words, compared without case; an inflected name is another word.

    Returns
    -------
    found : list of list of str
        Per text its proper nouns, as written.
    way : str
        ``spacy MODEL``, ``capitals``, ``names``, two of them joined by ``and``, or empty: there is no way to
        find any.

    Raises
    ------
    InputError
        Where spaCy or the model is not installed, or the model does not tag parts of speech.
    """
    ways = []
    if model is not None:
        found = _by_spacy(texts, model)
        ways.append(f"spacy {model}")
    elif language in NOUNS_CAPITALISED:
        logging.warning("%s: all nouns have a capital, which therefore tells no proper noun", language)
        found = [[] for _ in texts]
    else:
        found, says = _by_capitals(texts)
        if says:
            ways.append("capitals")
        else:
            logging.warning("%s: the texts have no capitals that could tell a proper noun", language)
    names = list(names)
    if names:
        ways.append("names")
        for mine, named in zip(found, _by_names(texts, names), strict=True):
            mine += [name for name in named if name not in mine]
    return found, " and ".join(ways)


def read_names(path):
    """A list of names: one per line, ``#`` begins a comment.

    Raises
    ------
    InputError
        Where the file cannot be read or holds no name.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            names = [line.partition("#")[0].strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the list of names cannot be read ({error})", path=path, fix="give a text file in UTF-8"
        ) from error
    names = [name for name in names if name]
    if not names:
        raise InputError("the list of names is empty", path=path, fix="write one name per line")
    return names


def _by_spacy(texts, model):
    try:
        import spacy
    except ImportError as error:
        raise InputError(
            "spaCy is not installed",
            row=f"model {model}",
            fix="install it with the model, or leave the model out: capitals then tell proper nouns",
        ) from error
    try:
        nlp = spacy.load(model)
    except (OSError, ImportError, ValueError) as error:
        raise InputError(
            f"spaCy cannot load the model ({error})",
            row=f"model {model}",
            fix="install it (`python -m spacy download MODEL`), or leave it out",
        ) from error
    docs = list(nlp.pipe(texts))
    if any(len(doc) for doc in docs) and not any(token.pos_ for doc in docs for token in doc):
        raise InputError(
            "the model does not tag parts of speech",
            row=f"model {model}",
            fix="choose a model with a tagger or morphologizer",
        )
    return [[token.text for token in doc if token.pos_ == "PROPN"] for doc in docs]


def _by_capitals(texts):
    """Per text its words with capitals; whether there are any capitals."""
    words = [[(m[0], _begins(text, m.start())) for m in _WORD.finditer(text)] for text in map(_nfc, texts)]
    told = [[] if _heading([word for word, _ in mine]) else mine for mine in words]
    inside = [word for mine in told for word, begins in mine if not begins]
    names = {word.casefold() for word in inside if _capital(word)}
    names -= {word.casefold() for word in inside if not word[0].isupper()}
    found = [
        [word for word, begins in mine if _capital(word) and (not begins or word.casefold() in names)]
        for mine in told
    ]
    return found, any(word[0].isupper() for mine in told for word, _ in mine)


def _nfc(text):
    return unicodedata.normalize("NFC", text)


def _begins(text, at):
    """Whether the word at ``at`` may owe its capital to its place."""
    before = text[:at]
    if not any(c.isalnum() for c in before):
        return True
    short = _SHORT.search(before)
    return bool(_OPENS.search(before)) and not (short and short[1][0].isupper())


def _heading(words):
    """Whether all its longer words have capitals, so that they say nothing."""
    longer = [word for word in words if len(word) >= HEADING_LETTERS]
    return len(longer) >= HEADING_WORDS and all(word[0].isupper() for word in longer)


def _capital(word):
    # A single capital is a pronoun, an initial or a unit.
    return word[0].isupper() and len(word) > 1


def _by_names(texts, names):
    """Names of the list in each text: whole words, in a row; in scripts without spaces anywhere."""
    rows, parts = {}, {}
    for name in names:
        if any(unspaced(c) for c in name):
            parts[_nfc(name)] = name
        elif words := between_spaces(name.casefold()):
            rows[tuple(words)] = name
    lengths = sorted({len(row) for row in rows})
    found = []
    for text in texts:
        words = between_spaces(text.casefold())
        all_rows = [tuple(words[at : at + n]) for at in range(len(words)) for n in lengths]
        mine = [rows[row] for row in all_rows if row in rows]
        text = _nfc(text)
        found.append(list(dict.fromkeys(mine + [name for part, name in parts.items() if part in text])))
    return found
