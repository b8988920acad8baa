"""Draw macro-F1 of tones against layer."""

import json

from phonoscope.figures import style, tone_layers
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_layers.draw(
    sheets.read(snakemake.input.layers),
    sheets.read(snakemake.input.spans),
    json.loads(snakemake.params.roles),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
