"""Every format: the file that is spoiled, its valid bytes, and the files that lie beside it."""

from dataclasses import dataclass, field

from spoiling import seeds


@dataclass(frozen=True)
class Format:
    """A file to spoil.

    Parameters
    ----------
    reading : str
        Among ``readings.READINGS``.
    place : str
        The file, relative to the corpus.
    valid : callable
        Gives its bytes.
    beside : dict of str to callable
        Other files.
    times : float
        How much memory a byte of the file may take, besides what a recording of one second takes.
    """

    reading: str
    place: str
    valid: callable
    beside: dict = field(default_factory=dict)
    times: float = 100

    def lay(self, folder):
        """Write the files beside it; the path of the file itself."""
        for place, content in self.beside.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content())
        (folder / self.place).parent.mkdir(parents=True, exist_ok=True)
        return folder / self.place


_WAV = {"r.wav": seeds.audio}
_TABLE = {"u1.wav": seeds.audio, "u2.wav": seeds.audio}
# What deflate and zstd can make of a byte, at most.
_DEFLATE = 1100

FORMATS = {
    "carstens_pos": Format("carstens_pos", "r.pos", seeds.carstens_pos, _WAV),
    "carstens_ag500": Format("carstens_ag500", "r.pos", seeds.carstens_ag500, _WAV),
    "carstens_text": Format("carstens_text", "r.txt", seeds.carstens_text, _WAV),
    "carstens_text_bare": Format(
        "carstens_text_bare", "r.txt", lambda: seeds.carstens_text().partition(b"\n")[2], _WAV
    ),
    "ssff": Format("emu", "r_bndl/r.tt", seeds.ssff, _WAV),
    "emu_json": Format("emu_json", "r_bndl.json", lambda: seeds.as_json(seeds.bundle()), _WAV),
    "est_binary": Format("est_binary", "r.ema", seeds.est, _WAV),
    "est_ascii": Format("est_ascii", "r.ema", lambda: seeds.est("ascii"), _WAV),
    "mat": Format("mview", "r.mat", seeds.mat, _WAV),
    "mat_compressed": Format("mview", "r.mat", lambda: seeds.mat(True), _WAV, _DEFLATE),
    "pt": Format("spire", "r.pt", lambda: seeds.zipped(seeds.pickled(seeds.spire_content())), _WAV),
    "recordings_parquet": Format(
        "table",
        "recordings.parquet",
        lambda: seeds.parquet(seeds.recordings_table()),
        _TABLE
        | {"ema/s.parquet": lambda: seeds.parquet(seeds.ema_table())}
        | {"segments.parquet": lambda: seeds.parquet(seeds.segments_table())},
    ),
    "segments_parquet": Format(
        "table_segments",
        "segments.parquet",
        lambda: seeds.parquet(seeds.segments_table()),
        _TABLE
        | {"ema/s.parquet": lambda: seeds.parquet(seeds.ema_table())}
        | {"recordings.parquet": lambda: seeds.parquet(seeds.recordings_table())},
    ),
    "ema_parquet": Format(
        "table",
        "ema/s.parquet",
        lambda: seeds.parquet(seeds.ema_table()),
        _TABLE
        | {"segments.parquet": lambda: seeds.parquet(seeds.segments_table())}
        | {"recordings.parquet": lambda: seeds.parquet(seeds.recordings_table())},
    ),
    "fleurs": Format(
        "fleurs",
        "data/fi_fi/train.tsv",
        lambda: seeds.FLEURS,
        {f"data/fi_fi/audio/train/{name}.wav": seeds.audio for name in (11, 12)},
    ),
    "tusom": Format(
        "tusom",
        "data/train.yml",
        lambda: seeds.TUSOM,
        {f"data/wav/{name}.wav": seeds.audio for name in ("one", "two")},
    ),
    "annotation": Format("annotation", "r_annot.json", lambda: seeds.as_json(seeds.annotation())),
    "esps": Format("esps", "r.MAU", lambda: seeds.ESPS),
    "textgrid_long": Format("textgrid", "r.TextGrid", seeds.textgrid),
    "textgrid_short": Format("textgrid", "r.TextGrid", lambda: seeds.textgrid("short")),
    "wav": Format("wav", "r.wav", seeds.audio),
    "wav_float": Format("wav", "r.wav", lambda: seeds.audio(subtype="FLOAT", rate=44100, channels=2)),
    # A frame of FLAC of 14 bytes can say that it is 65,535 times the same sample.
    "flac": Format("flac", "r.flac", lambda: seeds.audio("FLAC", rate=48000), times=65535 * 4 * 4 / 14),
    "bundle_audio": Format("bundle_audio", "r_bndl.json", lambda: seeds.as_json(seeds.bundle())),
    "embeddings": Format("embeddings", "layer1.parquet", seeds.embeddings),
    "speakers": Format("speakers", "speakers.tsv", lambda: seeds.SPEAKERS),
    "recordings": Format("recordings", "recordings.tsv", lambda: seeds.RECORDINGS),
}
