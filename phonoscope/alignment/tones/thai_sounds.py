"""Thai sounds: a written syllable's consonants and vowel in IPA, without the tone that they write as well.

Source: Tingsabadh and Abramson, "Thai", Journal of the IPA 23 (1993); Haas, *The Thai System of Writing*
(1956), on letters that sound alike. Vowels have the length that is written (เล่น is eː, though said short).
"""

_CONSONANTS = {
    letter: sound
    for letters, sound in (
        *(("ก", "k"), ("ขฃคฅฆ", "kʰ"), ("ง", "ŋ"), ("จ", "tɕ"), ("ฉชฌ", "tɕʰ"), ("ซศษส", "s"), ("ญย", "j")),
        *(("ฎด", "d"), ("ฏต", "t"), ("ฐฑฒถทธ", "tʰ"), ("ณน", "n"), ("บ", "b"), ("ป", "p"), ("ผพภ", "pʰ")),
        *(("ฝฟ", "f"), ("ม", "m"), ("ร", "r"), ("ลฬ", "l"), ("ว", "w"), ("หฮ", "h"), ("อ", "ʔ")),
    )
    for letter in letters
}
_FINALS = {
    letter: sound
    for letters, sound in (
        *(("กขคฆ", "k"), ("จชซฎฏฐฑฒดตถทธศษส", "t"), ("บปพฟภ", "p"), ("ง", "ŋ"), ("ญณนรลฬ", "n"), ("ม", "m")),
        *(("ย", "j"), ("ว", "w")),
    )
    for letter in letters
}
# Two letters that are one sound; loans that keep both sounds of ทร are not told apart from ทราบ.
_ONE = {"ทร": "s", "ซร": "s", "ศร": "s", "สร": "s", "จร": "tɕ", "อย": "j"}
# Before a consonant or none, ฤ is said with i after these letters and with ɯ after others: กฤษณ์, พฤกษ์.
_RI = frozenset("กตทปศส")


def kind(part):
    """The sounds of one syllable without its tone.

    Parameters
    ----------
    part : thai_spelling.Part

    Returns
    -------
    str
        In IPA, as in kʰaːw for ข่าว and ข้าว.
    """
    onset, vowel, final = part.onset, part.vowel, part.final
    if onset not in _ONE and len(onset) == 2 and onset[0] == "ห":
        onset = onset[1]
    if vowel == "o" and final == "ร":
        vowel = "ɔː"  # พร: the vowel that is not written is another before ร
    elif vowel == "eː" and final == "ย":
        vowel = "ɤː"  # เลย
    elif vowel == "rɯ" and onset in _RI:
        vowel = "ri"
    sounds = _ONE.get(onset) or "".join(_CONSONANTS[letter] for letter in onset)
    return sounds + vowel + _FINALS.get(final, "")
