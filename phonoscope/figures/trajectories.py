"""One utterance: its spectrogram, its phones, and each sensor's measured and predicted path."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from phonoscope.figures import style

_MEASURED = {"color": "black", "linewidth": 1.2}
_PREDICTED = {"color": "#D55E00", "linewidth": 1.5, "linestyle": (0, (4, 1.5))}


def draw(predictions, audio, rate, segments=None, title="", seconds=6.0):
    """Measured and predicted trajectories under the spectrogram.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Of one utterance: utterance_id, time_s, channel, measured_mm, predicted_mm, r (of the whole
        utterance, repeated in every row of a channel). NaN where a sensor was not valid.
    audio : array of shape (n_samples,)
    rate : int
        Samples per second.
    segments : pandas.DataFrame, optional
        Columns start_s, end_s, label; with tier, only the phones are drawn; with utterance_id, only
        those of this utterance.
    title : str
        Such as the model, layer and speaker.
    seconds : float
        Longest stretch to draw, from where the predictions begin.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = predictions[predictions.measured_mm.notna() | predictions.predicted_mm.notna()]
    if shown.empty:
        return style.message("No trajectory could be predicted for this utterance.", title or "Trajectories")
    utterance, end = shown.utterance_id.iloc[0], len(audio) / rate
    start = 0.0 if end <= seconds else float(max(shown.time_s.min(), 0))
    window = (start, min(start + seconds, end))
    phones = _phones(segments, utterance, window)
    channels = style.along_the_tract(shown.channel)
    with style.styled():
        heights = ([0.36] if len(phones) else []) + [1.3] + [0.72] * len(channels)
        drawn = style.figure(8.6, sum(heights) + 0.9, layout="constrained")
        axes = list(
            drawn.subplots(len(heights), sharex=True, gridspec_kw={"height_ratios": heights}, squeeze=False)[
                :, 0
            ]
        )
        drawn.get_layout_engine().set(hspace=0.0, h_pad=0.02)
        lanes = axes[-len(channels) :]
        _spectrogram(axes[-len(channels) - 1], np.asarray(audio, dtype=float), rate, window)
        for ax, channel in zip(lanes, channels, strict=True):
            _lane(ax, shown[shown.channel == channel], channel)
        axes[0].set_xlim(*window)
        axes[-1].set_xlabel("time (s)")
        if len(phones):
            _label_phones(axes[0], axes[1:], phones, window, 7.2)
        drawn.align_ylabels(axes[-len(channels) - 1 :])
        part = "" if window == (0.0, end) else f", {window[0]:.1f}–{window[1]:.1f} s of {end:.1f} s"
        drawn.suptitle(f"{title}\n{utterance}{part}".strip(), x=0.01, ha="left", size=9.5)
        labels = [
            Line2D([], [], **_MEASURED, label="measured"),
            Line2D([], [], **_PREDICTED, label="predicted"),
        ]
        style.legend_below(drawn, labels)
        return drawn


def _phones(segments, utterance, window):
    if segments is None:
        return []
    for column, wanted in (("tier", "phone"), ("utterance_id", utterance)):
        if column in segments:
            segments = segments[segments[column] == wanted]
    return segments[(segments.end_s > window[0]) & (segments.start_s < window[1])]


def _spectrogram(ax, audio, rate, window):
    """Wideband spectrogram: 8 ms Hann windows every 2 ms, 60 dB below the maximum."""
    from scipy.signal import spectrogram

    part = audio[int(window[0] * rate) : int(np.ceil(window[1] * rate))]
    length = min(int(0.008 * rate), len(part))
    step = max(length - int(0.002 * rate), 0)
    frequency, time, power = spectrogram(part, rate, "hann", length, step, nfft=1024, mode="psd")
    level = 10 * np.log10(power + 1e-12)
    edges = (window[0] + time[0], window[0] + time[-1], 0, frequency[-1] / 1000)
    kind = {"aspect": "auto", "origin": "lower", "cmap": "Greys", "interpolation": "bilinear"}
    ax.imshow(level, extent=edges, vmin=level.max() - 60, vmax=level.max(), **kind)
    ax.set_ylabel("kHz", rotation=0, ha="right", va="center")
    ax.set_ylim(0, min(8, rate / 2000))
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.tick_params(axis="x", length=0)


def _lane(ax, rows, channel):
    rows = rows.sort_values("time_s")
    ax.plot(rows.time_s, rows.measured_mm, **_MEASURED)
    ax.plot(rows.time_s, rows.predicted_mm, **_PREDICTED)
    r = rows.r.iloc[0]
    text = f"r = {r:.2f}" if np.isfinite(r) else "r undefined"
    ax.annotate(text, (1.01, 0.5), xycoords="axes fraction", va="center", size=8)
    ax.set_ylabel(f"{channel}\n(mm)", rotation=0, ha="right", va="center")
    ax.yaxis.set_major_locator(MaxNLocator(3, min_n_ticks=2))
    ax.margins(y=0.08)
    ax.grid(axis="y")


def _label_phones(strip, below, phones, window, width):
    """Labels in two staggered rows where they fit, thin lines at the boundaries through all panels."""
    strip.set_ylim(0, 1)
    strip.set_yticks([])
    for spine in strip.spines.values():
        spine.set_visible(False)
    strip.tick_params(axis="x", length=0)
    per_second = width / (window[1] - window[0])
    free = [window[0], window[0]]
    for i, phone in enumerate(phones.sort_values("start_s").itertuples()):
        start, end = max(phone.start_s, window[0]), min(phone.end_s, window[1])
        half = (0.062 * len(phone.label) + 0.02) / per_second / 2
        centre, row = (start + end) / 2, i % 2
        if phone.label and centre - half >= free[row]:
            strip.text(centre, 0.3 + 0.45 * row, phone.label, ha="center", va="center", size=7.5)
            free[row] = centre + half
        if phone.start_s >= window[0]:
            for ax in below:
                ax.axvline(phone.start_s, color=style.LIGHT, linewidth=0.5, zorder=0.5)
