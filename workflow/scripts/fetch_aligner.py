"""Fetch an aligner, or look at a local one, and write down exactly what it is."""

import json

from phonoscope import tables
from phonoscope.alignment.fetch import fetch
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
manifest = fetch(json.loads(snakemake.params.aligner))
with tables.beside(snakemake.output[0]) as path:
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
