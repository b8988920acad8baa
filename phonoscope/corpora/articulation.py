"""EMA as published: missing values, low-pass, resampling, z-score; and what became of each channel.

The order and the filter are those of arXiv 2606.31527: interpolation of missing samples,
Butterworth low-pass of order 6 at 20 Hz without phase shift, polyphase resampling, z-score per channel.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa

from phonoscope import tables
from phonoscope.corpora import readers, recordings
from phonoscope.errors import InputError


def filter_ema(corpus, speakers, shard, options):
    """Filter, resample and scale the EMA of a shard.

    Parameters
    ----------
    corpus : dict
        A block of ``corpora`` in the config, with its ``name``.
    speakers : list of dict
        The rows of the speaker sheet that belong to this shard; empty for a corpus without speakers.
    shard : str
    options : dict
        ``rate`` (Hz), ``cutoff_hz``, ``order``, ``zscore`` (file, speaker or none), ``min_sd_mm``,
        ``max_missing`` (share), ``max_length_difference_s``.

    Returns
    -------
    articulation : pyarrow.Table
        ``tables.articulation_schema``; a channel left out of a recording is null there. Its provenance
        has ``rate``, ``channels``, ``zscore`` and ``scale``: per utterance and channel the mean and SD
        in mm, so that value · SD + mean is a position in mm.
    quality : pyarrow.Table
        ``tables.QUALITY``: one row per recording and channel, of the samples as recorded.
    notes : pyarrow.Table
        ``tables.NOTES``, of the EMA; those of the audio are tabulate's.

    Raises
    ------
    InputError
        For recordings that cannot be used, unless the corpus says ``on_error: skip``.
    """
    if options["zscore"] == "speaker" and not speakers:
        raise InputError(
            "z-scores per speaker need speakers",
            row="articulation: zscore",
            fix="use `file`, or a speaker sheet",
        )
    found, notes = recordings.usable(corpus, speakers, shard)
    # What was said of the audio is in tabulate's notes already.
    notes.rows.clear()
    channels = [f"{sensor}_{axis}" for sensor in corpus["sensors"] for axis in "xz"]
    kept, quality = [], []
    for recording, info in found:
        with notes.guard(utterance_id=recording.utterance_id, speaker=recording.speaker, file=recording.ema):
            kept.append(_filter_one(recording, info, channels, options, quality, notes))
    scale = _scale(kept, options["zscore"])
    provenance = {"rate": options["rate"], "channels": channels, "zscore": options["zscore"], "scale": scale}
    return _table(kept, channels, scale, provenance), tables.from_rows(quality, tables.QUALITY), notes.table()


@dataclass(frozen=True)
class _Filtered:
    """One recording's valid channels in mm: times (n,), values (n, n_valid), names of the channels."""

    utterance_id: str
    speaker: str
    times: np.ndarray
    values: np.ndarray
    names: list


def _filter_one(recording, info, channels, options, quality, notes):
    """Filter one recording; add its rows to ``quality`` and what is left out of it to ``notes``."""
    track = read_track(recording)
    difference = _length_difference(track, info, recording, options)
    values, zeros = positions(track, recording.settings, channels)
    valid = []
    for i, channel in enumerate(channels):
        row = _quality(values[:, i], zeros[:, i], recording, channel, difference, options)
        quality.append(row)
        if not row["left_out"]:
            valid.append(i)
            continue
        notes.add(
            "warning",
            f"channel left out: {row['left_out']}",
            utterance_id=recording.utterance_id,
            speaker=recording.speaker,
            channel=channel,
            file=recording.ema,
        )
    if not valid:
        raise InputError(
            "no channel is usable",
            path=recording.ema,
            fix="check the map of sensors, or remove the recording",
        )
    filtered = smooth(values[:, valid], track.rate, options, recording.ema)
    times = track.start_s + np.arange(len(filtered)) / options["rate"]
    # EMA can outlast the audio by some 15 ms (HPRC): no speech frame is there to go with it.
    inside = times < info.duration_s
    names = [channels[i] for i in valid]
    return _Filtered(recording.utterance_id, recording.speaker, times[inside], filtered[inside], names)


def read_track(recording):
    """The track of a recording, by its reader, in mm.

    Returns
    -------
    phonoscope.corpora.track.Track
    """
    settings = recording.settings
    sensors = {name: where for name, where in settings["sensors"].items() if where is not None}
    if not sensors:
        raise InputError(
            "the speaker has none of the sensors",
            path=recording.ema,
            row=recording.speaker or None,
            fix="map one to a channel in the speaker sheet, or leave the speaker out",
        )
    module = readers.reader(settings["reader"])
    track = module.read(recording.ema, sensors, rate=settings["ema_rate"], **recording.inside)
    if not track.n_samples:
        raise InputError(
            "there are no EMA samples", path=recording.ema, fix="remove the recording or export it again"
        )
    return track


def positions(track, settings, channels):
    """Channels in the table's axes: x to the front, z up.

    Parameters
    ----------
    track : Track
    settings : dict
        Its ``axes`` give each axis of the table as a signed axis of the file, such as ``-y``.
    channels : list of str
        ``{sensor}_{x|z}``.

    Returns
    -------
    values : array of shape (n_samples, n_channels)
        mm; NaN where missing, also where the file has exactly 0 in all its axes (what the AG501
        writes for an unused channel), and for sensors this speaker does not have.
    zeros : bool array of shape (n_samples, n_channels)
        Where the file has those zeros.
    """
    values = np.full((track.n_samples, len(channels)), np.nan)
    zeros = np.zeros(values.shape, dtype=bool)
    for i, channel in enumerate(channels):
        sensor, axis = channel.rsplit("_", 1)
        if sensor not in track.sensors:
            continue
        source = settings["axes"][axis]
        sample = track.sensors[sensor]
        known = np.isfinite(sample)
        zeros[:, i] = known.any(axis=1) & ((sample == 0) | ~known).all(axis=1)
        column = sample[:, "xyz".index(source[-1])] * settings["mm_per_unit"]
        column = -column if source.startswith("-") else column
        values[:, i] = np.where(zeros[:, i] | ~np.isfinite(column), np.nan, column)
    return values, zeros


def smooth(values, rate, options, path=None):
    """Interpolate, low-pass without phase shift, and resample.

    Parameters
    ----------
    values : array of shape (n_samples, n_channels)
        mm, NaN where missing; each channel has at least one value.
    rate : float
        Hz.
    options : dict
        ``rate``, ``cutoff_hz``, ``order``.

    Returns
    -------
    array of shape (ceil(n_samples * options["rate"] / rate), n_channels)

    Raises
    ------
    InputError
        Where the rate is too low for the filter.

    Notes
    -----
    The published code resamples with zeros beyond the edges, which bends the first and last 10 samples
    of a signal that is not centred on zero towards zero. Here a line through the first and last sample
    is taken off before and put back after, which also keeps the resampling filter's ripple (0.1 % of the
    mean) out.
    """
    from scipy.signal import butter, resample_poly, sosfiltfilt

    if rate <= 2 * options["cutoff_hz"]:
        raise InputError(
            f"EMA at {rate:g} Hz cannot be low-passed at {options['cutoff_hz']:g} Hz",
            path=path,
            fix=f"set `articulation: cutoff_hz` below {rate / 2:g}, and check `ema_rate`",
        )
    ratio = Fraction(options["rate"] / rate).limit_denominator(10_000)
    index = np.arange(len(values))
    filled = np.empty(values.shape)
    for i, column in enumerate(values.T):
        known = np.isfinite(column)
        filled[:, i] = np.interp(index, index[known], column[known])
    sections = butter(options["order"], options["cutoff_hz"], fs=rate, output="sos")
    # sosfiltfilt's own extension at the ends, which it refuses recordings that are shorter than.
    pad = 3 * (2 * len(sections) + 1 - min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum()))
    extended = np.pad(filled, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    low = sosfiltfilt(sections, extended, axis=0, padlen=0)[pad:-pad]
    if len(low) < 2:
        return low
    return resample_poly(low, ratio.numerator, ratio.denominator, axis=0, padtype="line")


def _length_difference(track, info, recording, options):
    difference = track.end_s - info.duration_s
    # EMA that was cut to a part of the audio may end before it, but not after.
    if (-difference if difference < 0 and not track.partial else difference) > options[
        "max_length_difference_s"
    ]:
        raise InputError(
            f"the EMA ends at {track.end_s:.3f} s, the audio ({recording.audio}) at {info.duration_s:.3f} s: "
            f"{abs(difference):.3f} s apart, allowed are {options['max_length_difference_s']:g} s",
            path=recording.ema,
            fix="check that both belong to one recording and are whole, set `ema_rate`, or raise "
            "`articulation: max_length_difference_s`",
        )
    return difference


def _quality(column, zeros, recording, channel, difference, options):
    known = column[np.isfinite(column)]
    jumps = np.abs(np.diff(column))
    jumps = jumps[np.isfinite(jumps)]
    missing, sd = 1 - len(known) / len(column), float(known.std()) if len(known) else None
    sensor = channel.rsplit("_", 1)[0]
    if recording.settings["sensors"].get(sensor) is None:
        left_out = "the speaker sheet has no such sensor"
    elif zeros.all():
        left_out = "all samples are zero"
    elif missing > options["max_missing"] or not len(known):
        left_out = f"{missing:.0%} of the samples are missing, allowed are {options['max_missing']:.0%}"
    elif sd < options["min_sd_mm"] or sd == 0:
        left_out = f"SD of {sd:.2g} mm is below {options['min_sd_mm']:g} mm"
    else:
        left_out = ""
    return {
        "utterance_id": recording.utterance_id,
        "speaker": recording.speaker,
        "channel": channel,
        "n_samples": len(column),
        "mean_mm": float(known.mean()) if len(known) else None,
        "sd_mm": sd,
        "missing_share": missing,
        "zero_share": float(zeros.mean()),
        "largest_jump_mm": float(jumps.max()) if len(jumps) else None,
        "length_difference_s": difference,
        "left_out": left_out,
    }


def _scale(kept, unit):
    """Mean and SD in mm per utterance and channel, over the file or all the speaker's files."""
    if unit not in ("file", "speaker", "none"):
        raise InputError(
            f"`{unit}` is no unit of z-scores", row="articulation: zscore", fix="use file, speaker or none"
        )
    pools = {}
    for each in kept:
        for column, name in zip(each.values.T, each.names, strict=True):
            pools.setdefault(_pool(each, name, unit), []).append(column)
    if unit == "none":
        moments = dict.fromkeys(pools, [0.0, 1.0])
    else:
        moments = {}
        for key, columns in pools.items():
            column = np.concatenate(columns)
            moments[key] = [float(column.mean()), float(column.std()) or 1.0]
    return {
        each.utterance_id: {name: moments[_pool(each, name, unit)] for name in each.names} for each in kept
    }


def _pool(each, channel, unit):
    return (each.speaker if unit == "speaker" else each.utterance_id, channel)


def _table(kept, channels, scale, provenance):
    codes = np.repeat(np.arange(len(kept), dtype=np.int32), [len(each.times) for each in kept])
    ids = pa.array([each.utterance_id for each in kept], pa.string())
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), ids),
        pa.array(np.concatenate([np.empty(0), *(each.times for each in kept)]), pa.float64()),
    ]
    for channel in channels:
        parts = [np.empty(0)]
        for each in kept:
            if channel in each.names:
                mean, sd = scale[each.utterance_id][channel]
                parts.append((each.values[:, each.names.index(channel)] - mean) / sd)
            else:
                parts.append(np.full(len(each.times), np.nan))
        column = np.concatenate(parts).astype(np.float32)
        columns.append(pa.array(column, pa.float32(), mask=np.isnan(column)))
    schema = tables.with_provenance(tables.articulation_schema(channels), provenance)
    return pa.Table.from_arrays(columns, schema=schema)
