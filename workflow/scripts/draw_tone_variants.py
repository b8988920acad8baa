"""Draw the variants of each model in order."""

import json

from phonoscope.figures import style, tone_variants
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_variants.draw(
    sheets.read(snakemake.input.variants),
    sheets.read(snakemake.input.variant_tests),
    sheets.read(snakemake.input.layers),
    json.loads(snakemake.params.roles),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
