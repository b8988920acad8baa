"""Which tokens of a text make up which word, also in scripts that write no spaces."""

import re
import unicodedata

# First words of the Unicode names of letters whose scripts put no space between words.
SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "MYANMAR", "KHMER", "TIBETAN")


def is_spaceless(character):
    """Whether a character belongs to a script without spaces between words."""
    return unicodedata.name(character, "").partition(" ")[0] in SPACELESS


def without_spaces(text):
    """Whether most letters of a text are of scripts without spaces between words."""
    letters = [c for c in text if unicodedata.category(c)[0] in "LM"]
    return 2 * sum(map(is_spaceless, letters)) > len(letters)


def is_pronounced(text):
    """Whether there is anything in it but punctuation, symbols and spaces."""
    return any(unicodedata.category(c)[0] in "LMN" for c in text)


def words(text, offsets):
    """Words of a text with their tokens.

    Words are what stands between spaces. A stretch with letters of a script without spaces (Chinese,
    Japanese, Thai, Lao, Burmese, Khmer, Tibetan) is cut where tokens end instead, but not within a
    character and not before a mark that belongs to the one before: into one to a few characters, not words.

    Parameters
    ----------
    text : str
        Without two spaces in a row.
    offsets : list of (int, int)
        First and past-the-last character of each token, as a tokenizer gives them.

    Returns
    -------
    list of (str, list of int)
        Word without the punctuation around it, and its tokens: neighbours of each other, the space before
        and the punctuation around it among them. Punctuation between spaces belongs to no word.
    """
    found = []
    for stretch in re.finditer(r"\S+", text):
        first, last = stretch.span()
        tokens = [i for i, (_, end) in enumerate(offsets) if first < end <= last]
        if tokens[0] and offsets[tokens[0] - 1] == (first - 1, first):
            tokens.insert(0, tokens[0] - 1)
        cut = any(map(is_spaceless, stretch[0]))
        for part in _characters(text, tokens, offsets) if cut else [tokens]:
            label = text[max(first, offsets[part[0]][0]) : offsets[part[-1]][1]]
            if is_pronounced(label):
                found.append((_bare(label), part))
    return found


def _characters(text, tokens, offsets):
    """Tokens of a stretch in the smallest groups of whole characters with their marks and punctuation."""
    groups = []
    for i in tokens:
        start, end = offsets[i]
        if groups:
            before = text[offsets[groups[-1][0]][0] : offsets[groups[-1][-1]][1]]
            joins = (
                start < offsets[groups[-1][-1]][1]
                or unicodedata.category(text[start])[0] == "M"
                or not is_pronounced(text[start:end])
                or not is_pronounced(before)
            )
        if groups and joins:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def _bare(label):
    """A label without what is not pronounced around it."""
    said = [k for k, c in enumerate(label) if is_pronounced(c)]
    return label[said[0] : said[-1] + 1]
