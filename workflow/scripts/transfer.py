"""Fit and score every probe of the kinematics study on one layer of one model."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import kinematics_rows
from phonoscope.studies.kinematics import score

log_to(snakemake.log[0])
scores, speakers = score(
    snakemake.input.utterances,
    snakemake.input.articulation,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options),
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
)
kinematics_rows.write(scores, snakemake.output[0], speakers)
