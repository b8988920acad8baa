"""The recording that stands for each sentence in each language."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_sentences import choose

log_to(snakemake.log[0])
chosen, left_out = choose(snakemake.input.utterances, json.loads(snakemake.params.options))
tables.write(chosen, snakemake.output.chosen)
tables.write(left_out, snakemake.output.left_out)
