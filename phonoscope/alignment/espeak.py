"""Words to phones by espeak-ng.

Needs `espeakng-loader` (GPL), which is optional. The synthesiser is loaded in a program of its own
(`python -m phonoscope.alignment.espeak`), so that nothing of its state is left behind.
"""

import ctypes
import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

from phonoscope.corpora.synthetic.espeak import RETRIEVAL, UTF8
from phonoscope.errors import InputError

# espeak_TextToPhonemes: IPA, and a space between phones.
_IPA = 0x02 | ord(" ") << 8
# Where it goes over to another language within a text: (en).
_SWITCH = re.compile(r"\([a-z-]+\)")


def installed():
    """Whether espeakng-loader can be imported."""
    try:
        import espeakng_loader  # noqa: F401
    except ImportError:
        return False
    return True


def phones(words, voice):
    """Phones of words, each spoken alone.

    Parameters
    ----------
    words : sequence of str
    voice : str
        A language as espeak-ng calls it: en, en-us, cmn.

    Returns
    -------
    list of list of str
        Per word its phones, IPA with marks of stress and tone as espeak-ng writes them; no phones where it
        would name the letters of a script that the voice cannot read (``ja``: 東京).

    Raises
    ------
    InputError
        Where espeakng-loader is absent, or there is no such voice.
    """
    program = [sys.executable, "-m", "phonoscope.alignment.espeak"]
    root = Path(__file__).resolve().parents[2]
    request = json.dumps({"voice": voice, "words": list(words)}).encode()
    done = subprocess.run(program, cwd=root, input=request, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise InputError(
            f"espeak-ng gave no phones: {lines[-1]}",
            row=f"voice {voice}",
            fix="install espeakng-loader, give the language a voice that it has, or choose another way",
        )
    return [_read(word, written) for word, written in zip(words, json.loads(done.stdout), strict=True)]


def _read(word, written):
    if _SWITCH.search(written) and not all(
        unicodedata.name(c, "").startswith("LATIN") for c in word if c.isalpha()
    ):
        return []
    labels = _SWITCH.sub(" ", written).split()
    # Aspiration is written by a whole h: kh.
    return [re.sub(r"(?<=\w)h$", "ʰ", label) for label in labels]


def main():
    """Read a voice and words as JSON, write their phones."""
    import espeakng_loader

    request = json.load(sys.stdin)
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    library.espeak_Initialize(RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), 0)
    if library.espeak_SetVoiceByName(request["voice"].encode()):
        raise SystemExit(f"there is no voice {request['voice']}")
    convert = library.espeak_TextToPhonemes
    convert.restype = ctypes.c_char_p
    convert.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    found = []
    for word in request["words"]:
        rest, parts = ctypes.c_char_p(word.encode()), []
        # It converts up to the end of a clause and moves on.
        while rest.value:
            parts.append(convert(ctypes.byref(rest), UTF8, _IPA).decode())
        found.append(" ".join(parts))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
