"""Draw r of every source speaker on every target speaker at every layer."""

from phonoscope.figures import kinematics_matrices, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = kinematics_matrices.draw(table, snakemake.wildcards.corpus, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
