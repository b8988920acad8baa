"""Articulatory scores and phone scores of models against published scores."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.kinematics_measure import compare

log_to(snakemake.log[0])
found = compare(
    json.loads(snakemake.params.articulation),
    json.loads(snakemake.params.phones),
    snakemake.params.models,
    snakemake.input.published,
    json.loads(snakemake.params.hub_ids),
    snakemake.params.probe,
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
