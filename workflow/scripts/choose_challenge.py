"""Sentences of each pair of languages without proper nouns and without words that sound alike."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_challenge import choose

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
pairs, lookalikes = choose([snakemake.input.chosen], snakemake.input.segments, options)
tables.write(pairs, snakemake.output.pairs)
tables.write(lookalikes, snakemake.output.lookalikes)
