"""Draw r by speaker."""

from phonoscope import tables
from phonoscope.figures import speakers, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
recordings = tables.read(snakemake.input.utterances, columns=["speaker", "native_language"]).to_pydict()
groups = dict(zip(recordings["speaker"], recordings["native_language"], strict=True))
drawn = speakers.draw(sheets.read(snakemake.input.table), groups, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
