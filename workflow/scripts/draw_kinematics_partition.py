"""Draw the variance of EMA that phones and layers explain."""

from phonoscope.figures import kinematics_partition, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = kinematics_partition.draw(
    sheets.read(snakemake.input.partition),
    sheets.read(snakemake.input.statements),
    snakemake.wildcards.corpus,
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
