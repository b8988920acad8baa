"""Draw which tones are taken for which."""

from phonoscope.figures import style, tone_confusion
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_confusion.draw(
    sheets.read(snakemake.input.confusion),
    sheets.read(snakemake.input.layers),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
