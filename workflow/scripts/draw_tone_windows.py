"""Draw macro-F1 of tones against the log-mel window, with the acoustic span."""

from phonoscope.figures import style, tone_windows
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_windows.draw(
    sheets.read(snakemake.input.windows),
    sheets.read(snakemake.input.spans),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
