"""Draw the gradient's span, and the width that keeps the margin, against layer."""

import json

from phonoscope.figures import style, tone_spans
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_spans.draw(
    sheets.read(snakemake.input.layers),
    sheets.read(snakemake.input.occlusion),
    json.loads(snakemake.params.roles),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
