"""Draw r against the seconds of speech that a map is fitted on."""

from phonoscope.figures import kinematics_seconds, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = kinematics_seconds.draw(table, snakemake.wildcards.corpus, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
