"""What a Whisper's decoder writes from one layer of its encoder."""

import json

from phonoscope import tables
from phonoscope.encoders.lease import device
from phonoscope.encoders.manifest import held
from phonoscope.encoders.whisper import load
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_exits import exit_early
from phonoscope.studies.error_rates import spelling_of

log_to(snakemake.log[0])
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed)
with held(snakemake.input.model) as manifest:
    found = exit_early(
        load(json.loads(snakemake.params.model), manifest["folder"], use),
        snakemake.input.chosen,
        int(snakemake.wildcards.layer),
        json.loads(snakemake.params.options),
        spelling_of(manifest["folder"]),
    )
    tables.write(found, snakemake.output[0])
