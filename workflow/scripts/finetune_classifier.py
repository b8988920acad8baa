"""Fine-tune a model to classify utterances."""

from phonoscope.joblog import log_to
from phonoscope.training import task
from phonoscope.training.classify import train

log_to(snakemake.log[0])
task.perform(
    train,
    snakemake.wildcards.training,
    snakemake.params.options,
    dict(snakemake.input.items()),
    snakemake.output,
    dict(snakemake.resources.items()) | {"threads": snakemake.threads},
)
