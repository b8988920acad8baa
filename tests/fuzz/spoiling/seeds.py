"""Valid recordings of every format, each in a corpus of one or two recordings."""

import base64
import io
import json
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pyarrow as pa

RATE, SECONDS = 200, 1.0
N = round(RATE * SECONDS)
AXES = "xyz"


def movement(seed=0):
    """Smooth positions in mm of two sensors, of shape (200, 2, 3)."""
    rng = np.random.default_rng(seed)
    times = np.arange(N)[:, None, None] / RATE
    rates, phases = rng.uniform(1, 6, (2, 2, 3))
    return 10 * np.sin(2 * np.pi * rates * times + phases) + rng.normal(0, 30, (2, 3))


def audio(kind="WAV", subtype=None, rate=16000, channels=1):
    """Noise of one second."""
    import soundfile

    noise = 0.1 * np.random.default_rng(0).normal(size=(round(SECONDS * rate), channels))
    buffer = io.BytesIO()
    soundfile.write(buffer, noise, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def _seven(positions, n_channels):
    values = np.zeros((N, n_channels, 7))
    values[:, : positions.shape[1], :3] = positions
    return values


def carstens_pos():
    text = f"NumberOfChannels=4\nSamplingFrequencyHz={RATE}\nrecorded=never\n"
    start = "AG50xDATA_V003\n"
    head = f"{start}{len(start) + 9 + len(text):08d}\n{text}".encode()
    return head + _seven(movement(), 4).astype("<f4").tobytes()


def carstens_ag500():
    return _seven(movement(), 12).astype("<f4").tobytes()


def carstens_text():
    names = ("X", "Y", "Z", "phi", "theta", "RMS", "Extra")
    rows = ["\t".join(f"Ch{channel}_{name}" for channel in (1, 2) for name in names)]
    rows += ["\t".join(f"{value:.2f}" for value in row) for row in _seven(movement(), 2).reshape(N, -1)]
    return "\n".join(rows).encode() + b"\n"


def ssff():
    head = f"SSFF -- (c) SHLRC\nMachine IBM-PC\nRecord_Freq {RATE}.0\nStart_Time 0.0\n"
    head += "".join(f"Column tt_pos{axis} FLOAT 1\n" for axis in AXES) + "-----------------\n"
    return head.encode() + movement()[:, 0].astype("<f4").tobytes()


def est(kind="binary"):
    times = np.arange(N)[:, None] / RATE
    values = np.hstack([times, np.ones((N, 1)), movement().reshape(N, 6)])
    head = [f"EST_File Track\nDataType {kind}\nNumFrames {N}\nByteOrder 01\nNumChannels 6\nEqualSpace 0"]
    head += ["BreaksPresent true"]
    names = [f"{sensor}_p{axis}" for sensor in ("T3", "lip") for axis in AXES]
    head += [f"Channel_{i} {name}" for i, name in enumerate(names)] + ["EST_Header_End", ""]
    if kind == "binary":
        return "\n".join(head).encode() + values.astype("<f4").tobytes()
    return "\n".join([*head[:-1], *(" ".join(f"{x:.5g}" for x in row) for row in values)]).encode()


def mat(compressed=False, version="5"):
    from scipy.io import savemat

    kind = [(name, object) for name in ("NAME", "SRATE", "SIGNAL", "SENTENCE")]
    six = np.hstack([movement()[:, 0], np.zeros((N, 3))])
    entries = np.array([("AUDIO", 16000.0, np.zeros(50), ""), ("TT", float(RATE), six, "")], dtype=kind)
    buffer = io.BytesIO()
    content = {"F01_B01": entries} if version == "5" else {"SIGNAL": six}
    savemat(buffer, content, do_compression=compressed, format=version)
    return buffer.getvalue()


def deflated_mat(variables):
    """A compressed file around the bytes of its variables."""
    body = zlib.compress(variables)
    return mat()[:128] + struct.pack("<II", 15, len(body)) + body


def spire_content():
    return {
        "ema_trimmed": np.resize(movement().reshape(N, 6), (N // 2, 18)),
        "begin_end": [0, N // 2],
        "phonemes": ["sil", "ah"],
        "durations": [40, np.int64(60)],
    }


def pickled(content):
    return pickle.dumps(content, protocol=2)


def zipped(data):
    """A ``.pt`` file around the bytes of a pickle."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("recording/data.pkl", data)
        archive.writestr("recording/version", "3")
    return buffer.getvalue()


def annotation():
    items = [
        {"sampleStart": 4000 * i, "sampleDur": 3999, "labels": [{"name": "Segment", "value": "a"}]}
        for i in range(3)
    ]
    return {"sampleRate": 16000, "levels": [{"name": "Segment", "type": "SEGMENT", "items": items}]}


def bundle():
    return {
        "mediaFile": {"encoding": "BASE64", "data": base64.b64encode(audio()).decode()},
        "ssffFiles": [
            {"fileExtension": "tt", "encoding": "BASE64", "data": base64.b64encode(ssff()).decode()}
        ],
        "annotation": annotation(),
    }


def as_json(tree):
    return json.dumps(tree).encode()


ESPS = b"signal a\nnfields 1\n#\n  0.10 26 sil\n  0.25 26 a\n  0.50 26 b\n"

_INTERVALS = [(0, 0.1, ""), (0.1, 0.4, "a"), (0.4, 0.7, 'b ""c""'), (0.7, 1, "")]


def textgrid(form="long"):
    """Two tiers; Praat's long or short text."""
    tiers = (("phones", _INTERVALS), ("words", [(0, 0.4, "wo"), (0.4, 1, "rd")]))
    if form == "short":
        lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "1", "<exists>", "2"]
        for name, intervals in tiers:
            lines += ['"IntervalTier"', f'"{name}"', "0", "1", str(len(intervals))]
            lines += [line for start, end, text in intervals for line in (f"{start}", f"{end}", f'"{text}"')]
        return "\n".join([*lines, ""]).encode()
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0 ", "xmax = 1 "]
    lines += ["tiers? <exists> ", "size = 2 ", "item []: "]
    for number, (name, intervals) in enumerate(tiers, start=1):
        lines += [f"    item [{number}]:", '        class = "IntervalTier" ', f'        name = "{name}" ']
        lines += ["        xmin = 0 ", "        xmax = 1 ", f"        intervals: size = {len(intervals)} "]
        for i, (start, end, text) in enumerate(intervals, start=1):
            lines += [
                f"        intervals [{i}]:",
                f"            xmin = {start} ",
                f"            xmax = {end} ",
            ]
            lines += [f'            text = "{text}" ']
    return "\n".join([*lines, ""]).encode()


FLEURS = (
    '7\t11.wav\t"Junat kulkevat.\tjunat\u2028kulkevat\tj u n a t |\t16000\tFEMALE\n'
    "9\t12.wav\tTaksi odottaa.\ttaksi odottaa\tt a k s i |\t16000\tMALE\n"
).encode()
TUSOM = (
    'one.wav: {gloss: "no", no_tones: ka, tone_letters: ka˧}\ntwo.wav:\n  gloss: dog\n  tone_letters: wi˥\n'
).encode()
SPEAKERS = (
    b"# who\nspeaker\tsex\tsensors\tfiles\taxes\tema_rate\n"
    b"a\tf\tTT=2,UL=none\tA\tx=-y,z=+z\t200\nb\tm\t\t\t\t\n"
)
RECORDINGS = b'utterance\ttask\ttext\tsplit\nr1\tread\t"""Hello,"" she said"\ttrain\nr2\tread\tbye\ttest\n'


def recordings_table():
    from phonoscope import tables

    rows = [
        {"utterance_id": name, "audio": f"{name}.wav", "speaker": "s", "task": "read", "text": "a b"}
        for name in ("u1", "u2")
    ]
    return tables.from_rows(rows, tables.UTTERANCES)


def segments_table():
    from phonoscope import tables

    rows = [
        {"utterance_id": name, "tier": "phone", "start_s": 0.1, "end_s": 0.2, "label": "a", "score": 0.5}
        for name in ("u1", "u2")
    ]
    return tables.from_rows(rows, tables.SEGMENTS)


def ema_table():
    from phonoscope import tables

    parts = []
    for seed, name in enumerate(("u1", "u2")):
        x, _, z = movement(seed)[:, 0].T.astype(np.float32)
        parts.append(
            pa.table(
                [[name] * N, np.arange(N) / RATE, x, z], names=["utterance_id", "time_s", "TT_x", "TT_z"]
            )
        )
    table = pa.concat_tables(parts)
    return table.cast(tables.with_provenance(table.schema, {"rate": RATE}))


def parquet(table):
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def embeddings(said=None):
    """A layer's file with three utterances; ``said`` gives it another index and provenance."""
    import tempfile
    from pathlib import Path

    import pyarrow.parquet as pq

    from phonoscope.embeddings import Writer

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer1.parquet"
        with Writer(path, 8, "float16", {"model": "m", "layer": 1}) as writer:
            for name, n in (("u1", 700), ("u2", 3), ("u3", 500)):
                writer.append(name, rng.normal(size=(n, 8)).astype(np.float32))
        if said is None:
            return path.read_bytes()
        table, buffer, index = pq.read_table(path), io.BytesIO(), said.get("index")
        if isinstance(index, dict):
            index["crc32"] = json.loads(pq.read_metadata(path).metadata[b"phonoscope.index"])["crc32"]
        metadata = {b"phonoscope": json.dumps(said.get("provenance")).encode()}
        with pq.ParquetWriter(buffer, table.schema.with_metadata(metadata)) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata({"phonoscope.index": json.dumps(index)})
        return buffer.getvalue()


def embeddings_say():
    """What the metadata of that file hold."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(io.BytesIO(embeddings())).metadata
    return {
        "index": {
            key: value for key, value in json.loads(metadata[b"phonoscope.index"]).items() if key != "crc32"
        },
        "provenance": json.loads(metadata[b"phonoscope"]),
    }
