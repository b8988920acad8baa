"""Fetch a corpus from the hub or a server and write down exactly what it is."""

import json

from phonoscope import tables
from phonoscope.corpora.fetch import fetch
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
source = fetch(json.loads(snakemake.params.corpus))
with tables.beside(snakemake.output[0]) as path:
    path.write_text(json.dumps(source, indent=1, sort_keys=True) + "\n", encoding="utf-8")
