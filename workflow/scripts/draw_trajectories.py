"""Draw one utterance as measured and as predicted by a model's best layer."""

from phonoscope.figures import style, trajectories
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.example import example

log_to(snakemake.log[0])
shown = example(
    sheets.read(snakemake.input.layers),
    snakemake.params.probe,
    {int(path.rpartition("layer")[2].partition(".")[0]): path for path in snakemake.input.predictions},
    snakemake.input.utterances,
    snakemake.input.segments,
)
style.save(trajectories.draw(**shown), snakemake.output.svg, snakemake.output.png)
