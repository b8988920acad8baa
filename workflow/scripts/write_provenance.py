"""What the tables were made of, by Snakemake's own records."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.provenance.describe import describe
from phonoscope.provenance.records import record

log_to(snakemake.log[0])
with tables.beside(snakemake.output[0]) as path:
    said = describe(list(snakemake.input.tables), record, json.loads(snakemake.params.config))
    path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
