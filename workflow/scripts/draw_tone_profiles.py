"""Draw the energy of the gradient against the offset from the tone's centre."""

from phonoscope.figures import style, tone_profiles
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = tone_profiles.draw(
    sheets.read(snakemake.input.profiles),
    sheets.read(snakemake.input.spans),
    snakemake.wildcards.corpus,
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
