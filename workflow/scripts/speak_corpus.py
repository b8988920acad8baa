"""Speak a corpus to train on, and write down exactly what it is."""

import hashlib
import json
import shutil
from pathlib import Path

from phonoscope import tables
from phonoscope.corpora.synthetic.speech import build
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
spoken, folder = json.loads(snakemake.params.corpus)["speak"], Path(snakemake.output[0]).with_suffix("")
# What an earlier plan has left would be no part of this corpus.
shutil.rmtree(folder, ignore_errors=True)
build(folder, **spoken)
files = {
    path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.parquet"))
}
source = {"speak": spoken, "folder": folder.as_posix(), "files": files}
with tables.beside(snakemake.output[0]) as path:
    path.write_text(json.dumps(source, indent=1, sort_keys=True) + "\n", encoding="utf-8")
