"""Tones told from log-mel windows of growing width."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.tone_acoustic import score

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
scores = score(snakemake.input.chosen, snakemake.input.utterances, options, snakemake.wildcards.corpus)
tables.write(scores, snakemake.output[0])
