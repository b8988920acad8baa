"""A run as an RO-Crate: tables, figures and what they were made of, for programs (Workflow Run Crate)."""

import json
from pathlib import Path

SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
PROFILES = (
    "https://w3id.org/ro/wfrun/process/0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
)


def write(path, provenance, results, snakefile, config_files, licence):
    """Write a zip with an RO-Crate of a run.

    Parameters
    ----------
    path : path-like
        Of the zip.
    provenance : path-like
        As :func:`provenance.describe.describe` says.
    results : list of path-like
        Tables and figures.
    snakefile : path-like
    config_files : list of path-like
    licence : str
        Of the workflow (SPDX).
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    said = json.loads(Path(provenance).read_text(encoding="utf-8"))
    crate = ROCrate()
    crate.name = "Results of Phonoscope"
    crate.description = "Tables and figures, with the versions and checksums of all that they were made of."
    profiles = [crate.add(ContextEntity(crate, url, {"@type": "CreativeWork"})) for url in PROFILES]
    crate.root_dataset["conformsTo"] = profiles
    named = {"name": "Phonoscope", "license": licence}
    workflow = crate.add_workflow(
        snakefile,
        "workflow/Snakefile",
        main=True,
        lang="snakemake",
        properties=named,
    )
    if said["git"]:
        workflow["version"] = said["git"]["commit"]
    sources = [
        _file(crate, file, f"config/{Path(file).name}", {"name": "configuration"}) for file in config_files
    ]
    sources += [_model(crate, name, manifest) for name, manifest in said["models"].items() if manifest]
    sources += [_corpus(crate, name, corpus) for name, corpus in said["corpora"].items()]
    made = [_result(crate, file, said["tables"].get(str(file), {})) for file in sorted(map(str, results))]
    made.append(_file(crate, provenance, "provenance.json", {"name": "what the results were made of"}))
    crate.add_action(
        workflow,
        identifier="#run",
        object=sources,
        result=made,
        properties={"name": "The run", "startTime": said["started"], "endTime": said["ended"]},
    )
    crate.root_dataset["mentions"] = [crate.get("#run")]
    crate.write_zip(path)


def _file(crate, source, place, properties):
    return crate.add_file(source, place, properties=properties, record_size=True)


def _result(crate, path, table):
    """A table or figure; a table says its digest and what it goes back to."""
    properties = {"name": path.removeprefix("results/")}
    if table.get("sha256"):
        properties["sha256"] = table["sha256"]
    entity = _file(crate, path, path.removeprefix("results/"), properties)
    names = [f"#model-{name}" for name in table.get("models") or ()]
    names += [f"#corpus-{name}" for name in table.get("corpora") or ()]
    if based := [found for name in names if (found := crate.get(name))]:
        entity["isBasedOn"] = based
    return entity


def _model(crate, name, manifest):
    from rocrate.model.contextentity import ContextEntity

    properties = {
        "@type": "SoftwareApplication",
        "name": name,
        "version": manifest.get("commit") or manifest.get("model_type"),
        "identifier": manifest.get("hub") or name,
    }
    return crate.add(ContextEntity(crate, f"#model-{name}", properties))


def _corpus(crate, name, corpus):
    from rocrate.model.contextentity import ContextEntity

    source = corpus["source"] or {}
    properties = {
        "@type": "Dataset",
        "name": name,
        "identifier": source.get("id") or source.get("url") or f"sha256:{corpus['audio_sha256']}",
        "description": f"{corpus['recordings']} recordings, {corpus['seconds']:g} s",
    }
    if source.get("commit"):
        properties["version"] = source["commit"]
    return crate.add(ContextEntity(crate, f"#corpus-{name}", properties))
