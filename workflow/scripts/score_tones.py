"""Fit, score and keep the tone probes of one layer of one model."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.tone_layers import score
from phonoscope.studies.tone_states import write_probes

log_to(snakemake.log[0])
scores, predictions, probes = score(
    snakemake.input.chosen,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options),
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
)
tables.write(scores, snakemake.output.scores)
tables.write(predictions, snakemake.output.predictions)
write_probes(probes, snakemake.output.probes)
