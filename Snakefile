"""Phonoscope: probes the layers of speech models for articulation. See README.md and docs/."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.25")

HOME = Path(str(workflow.current_basedir)).resolve()
sys.path.insert(0, str(HOME))
# Scripts run in processes of their own, wherever that is: they too must find phonoscope.
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
)

from phonoscope.errors import InputError
from workflow.dag import alignments, calibrations, code, settings, trainings

# A config file that is given takes the place of the default; Snakemake would merge the two.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


CONFIG_FILES = workflow.overwrite_configfiles or ["config/config.yaml"]
try:
    STUDY = settings.load(config, ", ".join(map(os.path.relpath, CONFIG_FILES)))
except InputError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    corpus="|".join(STUDY.corpora),
    model="|".join(STUDY.models) or "none",
    shard=r"[A-Za-z0-9_.-]+",
    layer=r"\d+",


PARTS = "common corpora align encoders train articulation tone alignment calibration"
PARTS += " tables figures tone_figures alignment_figures synthetic synthetic_parallel synthetic_tone"
for part in PARTS.split():

    include: f"workflow/rules/{part}.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        STUDY_TABLES,
        STUDY_FIGURES,
        TRAINED,
        TONE_RESULTS + TONE_FIGURES + ALIGNMENT_RESULTS + ALIGNMENT_FIGURES,
        CALIBRATION,
