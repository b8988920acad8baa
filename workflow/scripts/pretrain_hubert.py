"""Train the small HuBERT that is shipped, on one core, and copy it over the shipped one."""

import shutil
import tempfile

import torch

from phonoscope import tables
from phonoscope.encoders.pretrain import Recipe, train
from phonoscope.joblog import log_to
from phonoscope.shipping import ship

log_to(snakemake.log[0])
torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    train(snakemake.input.recordings, folder, Recipe(), snakemake.output.log)
    shutil.copy(snakemake.output.log, folder)
    lines = ship(folder, snakemake.params.shipped)
with tables.beside(snakemake.output.sha256) as path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
