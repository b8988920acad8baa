"""What a training leaves: weights, logs, and a card that says what they are and how good.

``training.json`` holds the facts, README.md tells them. Weights are stored as half floats (half the size; the
states change by less than 1 part in 1,000), and config.json says float32, which is what they load as.
"""

import json
from pathlib import Path

from phonoscope import tables
from phonoscope.training import log

# A held-out error may be that much larger when it is measured again: another machine rounds otherwise.
TOLERANCE, LEAST = 0.1, 0.01
# A model is worth shipping if its held-out errors are at most this share of chance.
WORTH = 0.9
FACTS = "training.json"
NOT_LOSSES = ("step", "iteration", "learning_rate", "seconds")


def save(job, trained, folder, command):
    """Write the model's folder.

    Parameters
    ----------
    job : job.Job
    trained : job.Trained
    folder : path-like
        Gets config.json, model.safetensors, what the extras save, training.tsv, training.json, README.md.
    command : str
        That remakes it.
    """
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    trained.model.config.dtype = torch.float32
    parameters = sum(each.numel() for each in trained.model.parameters())
    trained.model.half().save_pretrained(folder)
    _say_float32(folder / "config.json")
    trained.model.float()
    for extra in trained.extras:
        extra.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    log.write(trained.log, folder / "training.tsv")
    facts = described(job, trained, parameters, command)
    for name, text in ((FACTS, json.dumps(facts, indent=1, ensure_ascii=False)), ("README.md", told(facts))):
        with tables.beside(folder / name) as path:
            Path(path).write_text(text.rstrip() + "\n", encoding="utf-8")


def _say_float32(path):
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(
        json.dumps(config | {"dtype": "float32"}, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )


def described(job, trained, parameters, command):
    """The facts of a card, as JSON can hold them."""
    data = [
        {
            "split": split,
            "utterances": len(rows),
            "minutes": round(sum(row["duration_s"] for row in rows) / 60, 1),
            "speakers": len({row["speaker"] for row in rows}),
        }
        for split, rows in job.rows.items()
    ]
    return {
        "name": job.name,
        "recipe": job.options["recipe"],
        "corpora": list(job.options["corpora"]),
        "base": job.options.get("base"),
        "options": {key: job.options[key] for key in sorted(job.options)},
        "data": data,
        "parameters": parameters,
        "end": {key: value for key, value in trained.log[-1].items() if key not in NOT_LOSSES},
        "minutes": round(trained.log[-1]["seconds"] / 60, 1),
        "device": _device(job),
        "held_out": [row | {"bound": bound(row)} for row in trained.held_out],
        "facts": trained.facts,
        "command": command,
    }


def _device(job):
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{job.threads or 'all'} core{'s' * (job.threads != 1)}"


def _tested(facts):
    if facts["recipe"] == "pretrain":
        return "The output layer is not shipped, so that a test cannot take the loss again; it takes probes."
    return "A test takes those of the last split again and holds them below their bounds."


def bound(row):
    """The largest held-out error that a test accepts: the measured one and a tenth of it."""
    return round(row["value"] + max(LEAST, TOLERANCE * row["value"]), 4)


def told(facts):
    """The card as Markdown, from :func:`described`."""
    data = "; ".join(
        f"{each['split']} {each['utterances']} recordings, {each['minutes']:g} min, {each['speakers']} voices"
        for each in facts["data"]
        if each["utterances"]
    )
    options = ", ".join(
        f"{key} {value}" for key, value in facts["options"].items()
        if key not in ("recipe", "corpora", "base", "seed", "steps") and value not in (None, {}, [])
    )  # fmt: skip
    rows = [
        ("recipe", f"`{facts['recipe']}`, {options}"),
        ("starts from", f"`{facts['base']}`" if facts["base"] else "random weights"),
        ("data", f"corpora {', '.join(facts['corpora'])}; {data}"),
        ("steps, seed", f"{facts['options']['steps']:,}, {facts['options'].get('seed', 0)}"),
        (
            "end of the log",
            ", ".join(f"{key} {value:.3g}" for key, value in facts["end"].items() if value is not None),
        ),
        ("time", f"{facts['minutes']:g} minutes on {facts['device']}"),
        ("size", f"{facts['parameters'] / 1e6:.2f} million parameters, stored as half floats"),
        *((key, value) for key, value in facts["facts"].items()),
    ]
    held_out = [
        f"| {row['split']} | {row['metric']} | {row['value']:.3f} | {row['chance']:.3f} ({row['control']}) "
        f"| {row['bound']:.3f} | {row['n']:,} |"
        for row in facts["held_out"]
    ]
    return "\n".join(
        [
            f"# {facts['name']}",
            "",
            "Trained here on synthetic speech only, to show and calibrate the studies. **It has never heard",
            "a person.**",
            "",
            "| | |",
            "|---|---|",
            *(f"| {key} | {value} |" for key, value in rows),
            "",
            f"Held-out errors (less is better), each at most {WORTH:.0%} of chance. {_tested(facts)}",
            "",
            "| split | measure | value | chance | bound | n |",
            "|---|---|---|---|---|---|",
            *held_out,
            "",
            f"`training.tsv` is the log of the training, `{FACTS}` holds what is said here. Trained anew by",
            "",
            f"    {facts['command']}",
            "",
            "On another machine or another version of torch the weights differ. Licence: that of Phonoscope.",
        ]
    )
