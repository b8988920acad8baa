"""The tables of physics against phones over all corpora and models."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.kinematics_partition_summary import summarise

log_to(snakemake.log[0])
scores = json.loads(snakemake.params.scores)
found = summarise({corpus: tables.read(paths) for corpus, paths in scores.items()})
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
