"""Which models are trained, which are their untrained twins, which are acoustic baselines."""


def roles(models):
    """Role of every model: ``trained``, ``baseline``, ``untrained`` or ``untrained of NAME``.

    Parameters
    ----------
    models : dict of str to dict
        The section ``models`` of the config, defaults filled in.

    Returns
    -------
    dict of str to str
        An untrained model's twin is the trained one with the same hub id or folder.
    """
    trained, found = {}, {}
    for name, model in models.items():
        if model["encoder"] in ("mel", "mfcc"):
            found[name] = "baseline"
        elif model.get("init", "pretrained") == "pretrained":
            found[name] = "trained"
            trained.setdefault(model.get("hub") or model.get("path"), name)
    for name, model in models.items():
        if name not in found:
            twin = trained.get(model.get("hub") or model.get("path"))
            found[name] = f"untrained of {twin}" if twin else "untrained"
    return {name: found[name] for name in models}


def hub_ids(models):
    """Hub id of every pretrained model that comes from the hub, by its name in the config."""
    return {
        name: models[name]["hub"] for name, role in roles(models).items() if _from_hub(models[name], role)
    }


def _from_hub(model, role):
    return role == "trained" and bool(model.get("hub"))
