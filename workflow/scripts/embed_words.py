"""The meaning of every type of word of a corpus: its concept, or its vector."""

from contextlib import nullcontext

from phonoscope import tables
from phonoscope.alignment.meaning import CONCEPTS, embed
from phonoscope.alignment.meaning_model import vectors
from phonoscope.encoders.manifest import held
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
source, by = snakemake.input.meaning, snakemake.params.by
with nullcontext({"folder": source}) if by == CONCEPTS else held(source) as meaning:
    found = embed(tables.read(snakemake.input.types), by, meaning["folder"], vectors)
tables.write(found, snakemake.output[0])
