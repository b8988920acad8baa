"""The EMA of one shard, filtered and z-scored, and its quality."""

import json

from phonoscope import tables
from phonoscope.corpora.articulation import filter_ema
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
articulation, quality, notes = filter_ema(
    json.loads(snakemake.params.corpus),
    json.loads(snakemake.params.speakers),
    snakemake.wildcards.shard,
    json.loads(snakemake.params.options),
)
tables.write(articulation, snakemake.output.articulation)
tables.write(quality, snakemake.output.quality)
tables.write(notes, snakemake.output.notes)
