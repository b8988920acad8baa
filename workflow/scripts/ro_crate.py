"""The run as an RO-Crate."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.provenance.crate import write

log_to(snakemake.log[0])
with tables.beside(snakemake.output[0]) as path:
    write(
        path,
        snakemake.input.provenance,
        snakemake.input.results,
        snakemake.input.snakefile,
        json.loads(snakemake.params.config_files),
        "Apache-2.0",
    )
