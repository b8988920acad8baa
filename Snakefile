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
os.environ.update(PYTHONPATH=f"{HOME}:{os.environ.get('PYTHONPATH', '')}".rstrip(":"))

from phonoscope.errors import InputError
from workflow.dag import configuration, settings

# A config file that is given takes the place of the default; Snakemake would merge the two.
if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


CONFIG_FILES = workflow.overwrite_configfiles or ["config/config.yaml"]
try:
    configuration.refuse_repeated(CONFIG_FILES)
    STUDY = settings.load(config, ", ".join(map(os.path.relpath, CONFIG_FILES)))
except InputError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    corpus="|".join(STUDY.corpora),
    model="|".join(STUDY.models) or "none",
    shard=r"[A-Za-z0-9_.-]+",
    layer=r"\d+",


# What `rule all` makes: each part adds its own.
RESULTS = []
PARTS = """
common corpora align encoders train articulation tables figures tone tone_figures alignment alignment_figures
alignment_decoders alignment_words kinematics kinematics_figures kinematics_models calibration atlas provenance
synthetic synthetic_parallel synthetic_tone
"""
for part in PARTS.split():

    include: f"workflow/rules/{part}.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        RESULTS,
