"""The tones of a corpus that are studied, with their folds."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.tone_choice import choose

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
items, left_out = choose(snakemake.input.utterances, snakemake.input.segments, options)
tables.write(items, snakemake.output.chosen)
tables.write(left_out, snakemake.output.left_out)
