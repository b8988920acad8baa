"""Pre-train a model by HuBERT's recipe."""

from phonoscope.joblog import log_to
from phonoscope.training import task
from phonoscope.training.pretrain import train

log_to(snakemake.log[0])
task.perform(
    train,
    snakemake.wildcards.training,
    snakemake.params.options,
    dict(snakemake.input.items()),
    snakemake.output,
    dict(snakemake.resources.items()) | {"threads": snakemake.threads},
)
