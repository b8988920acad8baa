"""One utterance to look at: predicted by a model's best layer, with what was recorded of it."""

from phonoscope import tables
from phonoscope.errors import InputError


def best_layer(layers, probe):
    """The layer with the highest r of ``probe``, in the first experiment that was run.

    Parameters
    ----------
    layers : pandas.DataFrame
        The table ``layers`` of one model.
    probe : str

    Returns
    -------
    (int, str, float)
        Layer, experiment, r.

    Raises
    ------
    InputError
        Where no layer has an r.
    """
    known = layers[(layers.probe == probe) & layers.r.notna()].sort_values("experiment", kind="stable")
    known = known[known.experiment == known.experiment.iloc[0]] if len(known) else known
    if known.empty:
        raise InputError(f"no layer has a score by {probe}", fix="see the notes in the table `layers`")
    best = known.loc[known.r.idxmax()]
    return int(best.layer), best.experiment, float(best.r)


def example(layers, probe, predictions, utterances, segments):
    """What :func:`phonoscope.figures.trajectories.draw` needs of a model's best layer.

    Parameters
    ----------
    layers : pandas.DataFrame
        The table ``layers`` of one model.
    probe : str
    predictions : dict of int to path-like
        The predictions of each layer.
    utterances, segments : list of path-like
        Of all shards.

    Returns
    -------
    dict
        ``predictions`` and ``segments`` (data frames), ``audio`` (float32 array of shape
        (n_samples,)), ``rate`` (Hz) and ``title``.
    """
    from phonoscope.corpora import audio

    rate = 16000
    layer, experiment, r = best_layer(layers, probe)
    frame = tables.read(predictions[layer]).to_pandas()
    listed = tables.read(utterances, columns=["utterance_id", "audio", "speaker"]).to_pandas()
    recording = listed.set_index("utterance_id").loc[frame.utterance_id.iloc[0]]
    model = layers.model.iloc[0]
    return {
        "predictions": frame,
        "segments": tables.read(segments).to_pandas(),
        "audio": audio.load(recording.audio, rate)[0],
        "rate": rate,
        "title": f"{model}, layer {layer} ({probe}; best in {experiment}: mean r = {r:.2f})",
    }
