"""The recordings of one shard: utterances, segments, and what there is to note."""

import json

from phonoscope import tables
from phonoscope.corpora.tabulate import tabulate
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
utterances, segments, notes = tabulate(
    json.loads(snakemake.params.corpus), json.loads(snakemake.params.speakers), snakemake.wildcards.shard
)
tables.write(utterances, snakemake.output.utterances)
tables.write(segments, snakemake.output.segments)
tables.write(notes, snakemake.output.notes)
