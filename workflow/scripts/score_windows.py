"""Tones told from log-mel windows of growing width."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.tone_acoustic import score

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
where = snakemake.input.chosen, snakemake.input.utterances
scores = score(*where, options, snakemake.wildcards.corpus, snakemake.threads)
tables.write(scores, snakemake.output[0])
