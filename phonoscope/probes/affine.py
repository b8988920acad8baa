"""Maps from one vocal tract to another: from predicted (or measured) movements of one to those of the other.

Three kinds, each fitted by least squares with a shift of its own for every channel, which r does not see:

affine      every channel from all channels.
articulator every channel from the two channels of its own sensor: a 2 x 2 matrix per sensor.
rotation    one rotation of the midsagittal plane and one scale for all sensors (orthogonal Procrustes in the
            plane: Schönemann 1966, Psychometrika 31; Umeyama 1991, IEEE PAMI 13(4), without reflection).

All follow from sums over frames of products of predictions and targets (phonoscope.probes.transfer.Joint).
"""

import numpy as np

KINDS = ("affine", "rotation", "articulator")
# As LinearRegression: singular values of the predictions below 1e-6 of the largest count as zero.
_CUT = 1e-12


def fit(kind, joint, known, planes, source_mm=None, target_mm=None):
    """Weights of a map, for all fits and versions of ``joint`` at once.

    Parameters
    ----------
    kind : {"affine", "rotation", "articulator"}
    joint : phonoscope.probes.transfer.Joint
        Of the frames that the map is fitted on.
    known : boolean array of shape (n_fits, n_versions, k)
        Channels that are predicted. Others are not used, and rotation cannot give theirs.
    planes : list of (int, int)
        Places of the x and z of each sensor among the k channels.
    source_mm : array of shape (n_fits, k), optional
        Millimetres per unit of each prediction: rotation takes place in millimetres. 1 by default.
    target_mm : array of shape (k,), optional
        Likewise of the targets.

    Returns
    -------
    array of shape (n_fits, n_versions, k, k)
        ``[..., c, i]``: weight of prediction i for target c. NaN for targets that cannot be mapped: those
        without frames, for the kind articulator those of a sensor that is not predicted, for rotation also
        those of one that is predicted along one axis only.
    """
    pp, py, _ = joint.centred()
    if kind == "rotation":
        weights = _rotation(pp, py, known, planes, source_mm, target_mm)
    else:
        used = known[..., None, :] & np.ones(py.shape, dtype=bool)
        if kind == "articulator":
            used &= _same_sensor(planes, py.shape[-1])
        both = used[..., :, None] & used[..., None, :]
        inverse = np.linalg.pinv(np.where(both, pp, 0.0), rcond=_CUT, hermitian=True)
        solved = (inverse @ np.where(used, py, 0.0)[..., None])[..., 0]
        weights = np.where(used.any(axis=-1, keepdims=True), np.where(used, solved, 0.0), np.nan)
    return np.where((joint.n > 1)[..., None], weights, np.nan)


def _same_sensor(planes, k):
    """Which channels belong to one sensor, boolean array of shape (k, k); a lone channel to itself."""
    same = np.eye(k, dtype=bool)
    for x, z in planes:
        same[x, z] = same[z, x] = True
    return same


def _rotation(pp, py, known, planes, source_mm, target_mm):
    """Rotation by the angle that brings the two systems together best, times its best scale (at least 0)."""
    n_fits, k = len(py), py.shape[-1]
    source = np.ones((n_fits, k)) if source_mm is None else source_mm
    target = np.ones(k) if target_mm is None else target_mm
    # In millimetres: the products of prediction i with target c, and the squares of prediction i.
    cross = py * source[:, None, None, :] * target[:, None]
    own = np.diagonal(pp, axis1=-2, axis2=-1) * source[:, None, None, :] ** 2
    turn, along, size = (np.zeros(py.shape[:2]) for _ in range(3))
    for x, z in planes:
        whole = known[..., x] & known[..., z]
        turn += whole * (cross[..., z, x] - cross[..., x, z])
        along += whole * (cross[..., x, x] + cross[..., z, z])
        size += whole * (own[..., x, x] + own[..., z, z])
    length = np.hypot(turn, along)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine, sine = along / length, turn / length
        scale = length / size
    weights = np.full(py.shape, np.nan)
    for x, z in planes:
        whole = (known[..., x] & known[..., z])[..., None]
        turned = {(x, x): cosine, (x, z): -sine, (z, x): sine, (z, z): cosine}
        rows = np.zeros((*py.shape[:2], 2, k))
        for (c, i), part in turned.items():
            rows[..., int(c == z), i] = scale * part * source[:, None, i] / target[c]
        for place, c in enumerate((x, z)):
            weights[..., c, :] = np.where(whole, rows[..., place, :], np.nan)
    return weights


def angle(weights, planes, source_mm=None, target_mm=None):
    """Angle in degrees (from x to z, so towards up where x points forward) and scale of a rotation.

    Parameters
    ----------
    weights : array of shape (n_fits, n_versions, k, k)
        As :func:`fit` gives them for the kind rotation.
    planes, source_mm, target_mm
        As for :func:`fit`.

    Returns
    -------
    degrees, scale : arrays of shape (n_fits, n_versions)
        NaN where there is no rotation.
    """
    n_fits, k = len(weights), weights.shape[-1]
    source = np.ones((n_fits, k)) if source_mm is None else source_mm
    target = np.ones(k) if target_mm is None else target_mm
    degrees, scale = np.full((2, *weights.shape[:2]), np.nan)
    for x, z in planes:
        cosine = weights[..., x, x] * target[x] / source[:, None, x]
        sine = weights[..., z, x] * target[z] / source[:, None, x]
        found = np.isfinite(cosine) & np.isnan(degrees)
        degrees = np.where(found, np.degrees(np.arctan2(sine, cosine)), degrees)
        scale = np.where(found, np.hypot(sine, cosine), scale)
    return degrees, scale
