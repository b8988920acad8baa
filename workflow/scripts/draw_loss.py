"""Draw the losses of a training against its steps."""

from phonoscope.figures import loss, style
from phonoscope.joblog import log_to
from phonoscope.training import log

log_to(snakemake.log[0])
drawn = loss.draw(log.read(snakemake.input.log), snakemake.params.training)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
