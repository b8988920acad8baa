"""Draw r of every group of speakers on every group."""

from phonoscope.figures import kinematics_groups, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = kinematics_groups.draw(table, snakemake.wildcards.corpus, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
