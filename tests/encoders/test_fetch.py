"""Manifests of models, and the errors of a hub that is out of reach."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from phonoscope.encoders.fetch import fetch
from phonoscope.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]


def test_manifest_of_a_local_folder_is_stable(checkpoint):
    folder = checkpoint("hubert-base")
    manifest = fetch({"path": str(folder), "depth": 3})
    assert manifest == fetch({"path": str(folder)}) == json.loads(json.dumps(manifest))
    assert (manifest["model_type"], manifest["depth"], manifest["folder"]) == ("hubert", 3, str(folder))
    assert sorted(manifest["files"]) == ["config.json", "model.safetensors"]
    assert manifest["commit"].startswith("sha256:")


def test_another_weight_is_another_commit(checkpoint, tmp_path):
    import shutil

    folder = shutil.copytree(checkpoint("hubert-base"), tmp_path / "m")
    before = fetch({"path": str(folder)})["commit"]
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "model.safetensors").write_bytes(weights)
    assert fetch({"path": str(folder)})["commit"] != before


def test_untrained_twin_needs_no_weights():
    manifest = fetch(
        {"path": str(REPOSITORY / "resources/models/wav2vec2-tiny"), "init": "random", "depth": 4}
    )
    assert sorted(manifest["files"]) == ["config.json", "preprocessor_config.json"]


@pytest.mark.parametrize("kind", ["mel", "mfcc"])
def test_baselines_have_nothing_to_fetch(kind):
    manifest = fetch({"encoder": kind, "depth": 0})
    assert manifest["folder"] is None and manifest["depth"] == 0
    with pytest.raises(InputError, match="set depth: 0"):
        fetch({"encoder": kind, "depth": 12})


def test_wrong_depth_is_found_at_once(checkpoint):
    with pytest.raises(InputError, match="set depth: 3"):
        fetch({"path": str(checkpoint("hubert-base")), "depth": 24})


def test_missing_folder_and_no_source(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        fetch({"path": str(tmp_path / "absent")})
    with pytest.raises(InputError, match="neither hub nor path"):
        fetch({"name": "x"})


def test_pickled_weights_alone_are_refused(checkpoint, tmp_path):
    (tmp_path / "config.json").write_text((checkpoint("hubert-base") / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="no safetensors.*revision"):
        fetch({"path": str(tmp_path)})


def test_hub_id_that_is_none():
    with pytest.raises(InputError, match="not an id!.*check the id"):
        fetch({"hub": "not an id!"})


def test_unreachable_hub_names_the_id_and_the_fix(tmp_path):
    """In a process of its own, as the client reads its endpoint when imported."""
    code = "from phonoscope.encoders.fetch import fetch\n"
    code += "from phonoscope.downloads.attempts import Patience\n"
    code += "fetch({'hub': 'someone/some-model'}, Patience(attempts=2, first_wait_s=0.1))"
    environment = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "InputError" in last and "someone/some-model" in last and "path:" in last


def test_hub_snapshot_is_resolved_to_its_commit(checkpoint, tmp_path, monkeypatch):
    """With the hub stood in for; see tests/downloads for one that answers."""
    import shutil

    from phonoscope.downloads.hub import Snapshot
    from phonoscope.encoders import fetch as module

    commit = "0123456789abcdef0123456789abcdef01234567"
    folder = tmp_path / "snapshots" / commit
    shutil.copytree(checkpoint("hubert-base"), folder)
    (folder / "adapter.deu.safetensors").write_bytes(b"not of this model")
    asked = {}

    def snapshot(repo, revision, **options):
        asked.update(options, revision=revision)
        return Snapshot(folder, commit, {"config.json": "digest"})

    monkeypatch.setattr(module, "snapshot", snapshot)
    manifest = fetch({"hub": "someone/some-model", "depth": 3})
    assert (manifest["commit"], manifest["revision"]) == (commit, "main")
    assert sorted(manifest["files"]) == ["config.json", "model.safetensors"]
    assert manifest["files"]["config.json"] == "digest"
    assert asked["revision"] == "main" and not any("bin" in p for p in asked["allow"])
    fetch({"hub": "someone/some-model", "init": "random", "revision": commit})
    assert asked["allow"] == ["*.json", "*.txt"] and asked["revision"] == commit


def test_a_checkpoint_of_several_files_has_all_of_them(checkpoint, tmp_path):
    import shutil

    folder = shutil.copytree(checkpoint("hubert-base"), tmp_path / "m")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(
        InputError, match="index.json: model .* lacks model-2.safetensors.*fetch the model again"
    ):
        fetch({"path": str(folder)})
