"""Which models the calibration compares; the planning of jobs reads this, so it imports nothing heavy."""

from phonoscope.studies.roles import roles


def references(models):
    """What each trained model is compared with.

    Parameters
    ----------
    models : dict of str to dict
        The section ``models`` of the config.

    Returns
    -------
    dict of str to list of str
        Trained model -> its untrained twin and the MFCC of the widest context, as far as there are. A model
        without a twin of its own has the first untrained one of as many blocks: models that were trained
        from the same architecture share one.
    """
    found = roles(models)
    spectra = [name for name, model in models.items() if model["encoder"] == "mfcc"]
    spectra = sorted(spectra, key=lambda name: -models[name].get("context", 0))[:1]
    chosen = {}
    for name in models:
        if found[name] == "trained":
            own = [other for other in models if found[other] == f"untrained of {name}"]
            same = [
                other
                for other in models
                if found[other].startswith("untrained")
                and models[other].get("depth") == models[name].get("depth")
            ]
            chosen[name] = (own or same)[:1] + spectra
    return {name: others for name, others in chosen.items() if others}
