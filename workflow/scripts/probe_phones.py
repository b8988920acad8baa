"""Score the phone probe on one layer of one model."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.kinematics_phones_probe import score

log_to(snakemake.log[0])
scores = score(
    snakemake.input.utterances,
    snakemake.input.articulation,
    snakemake.input.segments,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options),
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
)
tables.write(scores, snakemake.output[0])
