"""Captions are rendered by Snakemake with Jinja and docutils: here as it does it."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

REPORT = Path(__file__).resolve().parents[2] / "workflow/report"


@pytest.mark.parametrize("path", sorted(REPORT.glob("*.rst")), ids=lambda path: path.stem)
def test_captions_are_valid(path):
    from docutils.core import publish_parts
    from jinja2 import Environment, StrictUndefined

    snakemake = SimpleNamespace(wildcards=SimpleNamespace(corpus="frost-ema", training="hubert-fi"))
    text = Environment(undefined=StrictUndefined).from_string(path.read_text()).render(snakemake=snakemake)
    text += "\n\n.. _Workflow: javascript:show_panel('workflow')\n"
    html = publish_parts(text, writer="html", settings_overrides={"halt_level": 2, "report_level": 2})["body"]
    assert "<p>" in html
    # Which corpus is shown, or which training; some are of all corpora.
    over_all = ("workflow", "calibration", "atlas", "tone_", "alignment_", "kinematics_")
    assert path.stem.startswith(over_all) or re.search("frost-ema|hubert-fi", html)
