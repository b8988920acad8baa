"""The tables of the alignment study's pairs of words over all corpora and models."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_words_summary import compare

log_to(snakemake.log[0])
found = compare(
    snakemake.params.corpora,
    {table: snakemake.input[table] for table in snakemake.params.tables},
    snakemake.input.types,
    snakemake.input.meanings,
    snakemake.input.left_out,
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
