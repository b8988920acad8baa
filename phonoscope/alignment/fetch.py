"""Where an aligner's files are and exactly which: the manifest of results/aligners/{aligner}.json."""

import pickle
from pathlib import Path

from phonoscope.alignment.aligners import MMS_FA_FILE, mms_fa
from phonoscope.downloads.hub import FORBIDDEN, offline
from phonoscope.downloads.transfer import digest_of, download
from phonoscope.encoders import fetch as checkpoints
from phonoscope.errors import InputError


def fetch(aligner, patience=None):
    """Download an aligner, or look at a local folder, and describe what is there.

    Parameters
    ----------
    aligner : dict
        A block of ``aligners`` in the config: ``kind``, and ``hub`` with ``revision`` or ``path``.
    patience : downloads.attempts.Patience, optional

    Returns
    -------
    dict
        kind, hub, revision, commit, folder, files; as :func:`encoders.fetch.fetch`.

    Raises
    ------
    InputError
        Where the network or the files do not give it.
    """
    if aligner["kind"] != "mms_fa":
        return {"kind": aligner["kind"]} | checkpoints.fetch(aligner, patience)
    import torch
    from torchaudio.pipelines import MMS_FA

    # Where torch's own programs look for it.
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / MMS_FA_FILE
    if not path.is_file():
        if offline():
            raise InputError(
                f"the weights of MMS_FA are not here, and {FORBIDDEN}",
                path=path,
                fix="fetch them on a machine that is online and put them here; or set offline: false",
            )
        fix = "check that this machine is online; or put them there"
        # The bundle keeps its address to itself; torch's way there has no end of waiting.
        download(MMS_FA._path, path, what="the weights of MMS_FA", fix=fix, patience=patience)
    try:
        mms_fa(folder)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(
            f"the weights of MMS_FA cannot be loaded ({' '.join(str(error).split())[:300]})",
            path=path,
            fix="delete the file and run snakemake again",
        ) from error
    digest = digest_of(path)
    return {"kind": "mms_fa", "hub": None, "revision": None, "commit": f"sha256:{digest}"} | {
        "folder": str(folder),
        "files": {MMS_FA_FILE: digest},
    }
