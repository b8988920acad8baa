"""Retrieval between all pairs of languages from the hidden states of one layer."""

import json

from phonoscope import tables
from phonoscope.encoders.lease import device
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_retrieval import score

log_to(snakemake.log[0])
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed, "alignment.retrieval.gpu")
scores, ranks = score(
    snakemake.input.chosen,
    snakemake.input.challenge,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options) | {"memory_mb": snakemake.resources.block_mb},
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
    use,
    snakemake.threads,
)
tables.write(scores, snakemake.output.scores)
tables.write(ranks, snakemake.output.ranks)
