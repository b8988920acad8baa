"""When the words of the chosen recordings are said, by the cross-attention of a Whisper."""

import json

from phonoscope import tables
from phonoscope.encoders.lease import device
from phonoscope.encoders.manifest import held
from phonoscope.encoders.whisper import load
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_word_times import time_words

log_to(snakemake.log[0])
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed)
with held(snakemake.input.model) as manifest:
    whisper = load(json.loads(snakemake.params.model), manifest["folder"], use)
    found = time_words(
        whisper,
        snakemake.input.chosen,
        json.loads(snakemake.params.options),
        snakemake.input.utterances,
        snakemake.input.segments,
    )
    tables.write(found, snakemake.output[0])
