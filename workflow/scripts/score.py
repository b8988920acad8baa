"""Fit and score every probe of the articulation study on one layer of one model."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.articulation import score

log_to(snakemake.log[0])
scores, predictions = score(
    snakemake.input.utterances,
    snakemake.input.articulation,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options),
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
)
tables.write(scores, snakemake.output.scores)
tables.write(predictions, snakemake.output.predictions)
