"""Draw r by task and condition."""

from phonoscope.figures import style, tasks_conditions
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = tasks_conditions.draw(table, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
