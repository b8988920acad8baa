"""Fetch the model of meanings, or look at a local one, and write down exactly what it is."""

import json

from phonoscope import tables
from phonoscope.alignment.meaning_model import fetch
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
manifest = fetch(json.loads(snakemake.params.model))
with tables.beside(snakemake.output[0]) as path:
    path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
