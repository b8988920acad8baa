"""What a corpus's recordings are worth: its channels per speaker, and what was left out."""

import numpy as np
import pandas as pd


def summarise_quality(quality):
    """The quality of each speaker's channels over all recordings.

    Parameters
    ----------
    quality : pyarrow.Table
        Rows of :data:`phonoscope.tables.QUALITY`.

    Returns
    -------
    pandas.DataFrame
        speaker, channel, n_recordings, n_left_out, n_samples, sd_mm (root mean square of the SDs
        within recordings, of those kept where any is), missing_share and zero_share (of all samples),
        largest_jump_mm, length_difference_s (the largest by size), left_out (reasons).
    """
    frame = quality.to_pandas()
    frame["left_out"] = frame.left_out.fillna("")
    groups = frame.groupby(["speaker", "channel"], sort=False)
    rows = [{"speaker": key[0], "channel": key[1], **_quality(part)} for key, part in groups]
    columns = ["speaker", "channel", "n_recordings", "n_left_out", "n_samples", "sd_mm", "missing_share"]
    columns += ["zero_share", "largest_jump_mm", "length_difference_s", "left_out"]
    result = pd.DataFrame(rows, columns=columns)
    return result.sort_values(["speaker", "channel"]).reset_index(drop=True)


def _quality(part):
    kept = part[part.left_out == ""]
    measured = (kept if len(kept) else part).dropna(subset="sd_mm")
    weights = part.n_samples.clip(lower=1)
    differences = part.length_difference_s.dropna()
    return {
        "n_recordings": len(part),
        "n_left_out": len(part) - len(kept),
        "n_samples": int(part.n_samples.sum()),
        "sd_mm": float(np.sqrt((measured.sd_mm**2).mean())) if len(measured) else np.nan,
        "missing_share": float(np.average(part.missing_share.fillna(0), weights=weights)),
        "zero_share": float(np.average(part.zero_share.fillna(0), weights=weights)),
        "largest_jump_mm": part.largest_jump_mm.max(),
        "length_difference_s": differences.loc[differences.abs().idxmax()] if len(differences) else np.nan,
        "left_out": "; ".join(sorted(set(part.left_out) - {""})),
    }


def left_out(notes):
    """All notes of a corpus, what was left out first.

    Parameters
    ----------
    notes : pyarrow.Table
        Rows of :data:`phonoscope.tables.NOTES`.
    """
    frame = notes.to_pandas()
    order = frame.kind.map({"left_out": 0, "warning": 1, "converted": 2})
    keys = ["_order", "speaker", "utterance_id", "channel", "reason"]
    return frame.assign(_order=order).sort_values(keys).drop(columns="_order").reset_index(drop=True)
