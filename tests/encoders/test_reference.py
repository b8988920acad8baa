"""Stored hidden states of the shipped architectures with seeded weights.

Made anew with ``python tests/encoders/test_reference.py`` after a change that is meant.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from phonoscope.encoders.load import load

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "resources" / "models"
STORED = HERE / "reference_states.json"
CASES = {
    "wav2vec2-tiny": {"init": "random", "seed": 0},
    "whisper-tiny-arch": {"init": "random", "seed": 0},
    "mel": {"encoder": "mel"},
    "mfcc": {"encoder": "mfcc", "context": 1},
}


def vowel():
    """Half a second of a gliding harmonic sound, float32 at 16 kHz."""
    time = np.arange(8000) / 16000
    phase = 2 * np.pi * (120 * time + 40 * time**2)
    return sum(np.sin(k * phase) / k for k in range(1, 20)).astype(np.float32) * np.float32(0.1)


def summary(case):
    """Per layer: the norms of all frames, and frame 10 in eight places."""
    options = {"name": case, **CASES[case]}
    encoder = load(options, None if "encoder" in options else MODELS / case)
    states = encoder.encode([vowel()])[0]
    places = np.linspace(0, encoder.dim - 1, 8).astype(int)
    return {
        str(layer): {
            "norms": np.linalg.norm(array, axis=1).tolist(),
            "frame10": array[10, places].tolist(),
        }
        for layer, array in states.items()
    }


@pytest.mark.parametrize("case", list(CASES))
def test_states_are_the_stored_ones(case):
    stored, found = json.loads(STORED.read_text())[case], summary(case)
    assert sorted(stored) == sorted(found)
    for layer in stored:
        for key in ("norms", "frame10"):
            np.testing.assert_allclose(found[layer][key], stored[layer][key], rtol=2e-3, atol=2e-3)


if __name__ == "__main__":
    rounded = json.dumps({case: summary(case) for case in CASES}, indent=1)
    STORED.write_text(json.dumps(json.loads(rounded, parse_float=lambda x: round(float(x), 5))) + "\n")
