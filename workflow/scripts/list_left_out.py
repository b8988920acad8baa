"""What was left out of a corpus, converted or warned about, and why."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.quality import left_out

log_to(snakemake.log[0])
notes = snakemake.input
notes = tables.read([*notes.recordings, *notes.articulation, *notes.embeddings])
sheets.write(left_out(notes), snakemake.output[0])
