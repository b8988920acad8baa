"""The rules of the house: what may import what, how long files are, what every rule has."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "phonoscope").rglob("*.py"))
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))

# What a package of phonoscope may import from phonoscope, besides itself and the modules at its root.
ALLOWED = {
    "downloads": set(),
    "provenance": {"downloads"},
    "corpora": {"downloads"},
    "encoders": {"corpora", "downloads"},
    "alignment": {"corpora", "encoders", "downloads"},
    "probes": set(),
    "training": {"corpora", "encoders", "alignment"},
    "studies": {"probes", "encoders", "alignment", "corpora"},
    "figures": {"probes"},
}


# What is used where a user has installed it, to pronounce words and to tell names.
OPTIONAL = {"epitran", "spacy", "espeakng_loader"}


def name(path):
    return path.relative_to(ROOT).as_posix()


def rules(path):
    """The text of every rule of a file; of a rule that is made for several recipes, one for each."""
    text = path.read_text(encoding="utf-8")
    recipes = re.search(r"(?m)^for recipe in \(([^)]*)\):", text)
    for rule in re.split(r"(?m)^ *(?=rule\b[^\n]*:$)", text)[1:]:
        for recipe in re.findall(r"\w+", recipes[1]) if "recipe}" in rule else [""]:
            yield re.sub(r"\{(params\.)?recipe\}", recipe, rule).replace('f"', '"')


def imports(path):
    """Full names of all that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name(path)} imports by dots; say the package's name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def loaded(code):
    """Names of the top-level modules that Python has loaded after running ``code``."""
    report = "\nimport sys, json\nprint(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + report], cwd=ROOT, text=True, capture_output=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_dependencies_point_one_way(path):
    package = path.relative_to(ROOT / "phonoscope").parts[0]
    for imported in imports(path):
        assert imported.partition(".")[0] not in ("snakemake", "workflow"), f"imports {imported}"
        parts = imported.split(".")
        if parts[0] == "phonoscope" and len(parts) > 1 and parts[1] in ALLOWED:
            assert package in ALLOWED, f"{package} is below {imported}"
            assert parts[1] == package or parts[1] in ALLOWED[package], f"{package} imports {imported}"


def test_imports_can_be_read():
    """Which code a rule depends on is found by reading imports: none may be made up at run time."""
    for path in MODULES:
        assert not {"importlib.import_module", "importlib"} & imports(path), name(path)
        assert "__import__" not in path.read_text(encoding="utf-8"), name(path)


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=name)
def test_length(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= (30 if path in SCRIPTS else 400)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 60:
            reason = ast.get_docstring(node) or ""
            assert "long" in reason.lower(), f"{node.name} has over 60 lines and gives no reason"


def test_probes_start_without_heavy_imports():
    modules = [name(path)[:-3].replace("/", ".") for path in MODULES if "probes" in path.parts]
    got = loaded("\n".join(f"import {module}" for module in modules))
    assert not got & {"torch", "transformers", "pandas", "seaborn", "matplotlib"}


@pytest.mark.parametrize("path", RULE_FILES, ids=name)
def test_every_rule_has_log_benchmark_environment_and_code(path):
    assert path.read_text(encoding="utf-8").startswith('"""'), "say what the file needs and makes"
    for rule in rules(path):
        if "script:" not in rule:
            assert "output:" not in rule, rule
            continue
        script = re.search(r'script:(?:\s+#.*)?\s+"\.\./(scripts/\w+\.py)"', rule)[1]
        for directive in ("log:", "benchmark:", "conda:", "resources:", f'*sources("workflow/{script}")'):
            assert directive in rule, f"{directive} is missing in\n{rule}"
        assert "directory(" not in rule and "run:" not in rule and "shell:" not in rule


def test_no_checkpoints_and_a_short_snakefile():
    snakefile = (ROOT / "Snakefile").read_text(encoding="utf-8")
    assert len(snakefile.splitlines()) < 60
    for path in [ROOT / "Snakefile", *RULE_FILES]:
        assert not re.search(r"(?m)^\s*checkpoint ", path.read_text(encoding="utf-8"))


def test_scripts_belong_to_rules():
    used = {
        script
        for path in RULE_FILES
        for rule in rules(path)
        for script in re.findall(r"scripts/(\w+\.py)", rule)
    }
    assert used == {path.name for path in SCRIPTS}


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=name)
def test_environments_equal_the_lock(path):
    from packaging.markers import Marker
    from packaging.utils import canonicalize_name

    environment = {"python_version": "3.12", "python_full_version": "3.12.0", "sys_platform": "linux"}
    environment |= {"platform_machine": "x86_64", "platform_system": "Linux", "os_name": "posix"}
    environment |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    lock = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        pin = re.match(r"([a-z0-9_.-]+)==([^ ;\\]+)(?:\s*;\s*([^\\]+))?", line)
        if pin and (not pin[3] or Marker(pin[3].strip()).evaluate(environment)):
            lock[canonicalize_name(pin[1])] = pin[2]
    *_, pip = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    for pin in pip["pip"]:
        package, version = pin.split("==")
        if canonicalize_name(package) in ("vocaltractlab-cython", "espeakng-loader"):
            assert pin in (ROOT / "Makefile").read_text(encoding="utf-8")
        else:
            assert lock[canonicalize_name(package)] == version


def test_environments_hold_what_their_scripts_import():
    """Third-party packages that a rule's code imports are in the environment the rule names."""
    sys.path.insert(0, str(ROOT))
    from workflow.dag.code import sources

    packages = {"sklearn": "scikit-learn", "huggingface_hub": "huggingface-hub", "yaml": "pyyaml"}
    packages |= {"vocaltractlab_cython": "vocaltractlab-cython", "espeakng_loader": "espeakng-loader"}
    packages["sentence_transformers"] = "sentence-transformers"
    for path in RULE_FILES:
        for rule in rules(path):
            if "script:" not in rule:
                continue
            env = yaml.safe_load((ROOT / "envs" / re.search(r"envs/(\w+\.yaml)", rule)[1]).read_text("utf-8"))
            held = {pin.split("==")[0] for pin in env["dependencies"][-1]["pip"]}
            for source, _ in map(str.split, sources(re.search(r'sources\("([^"]+)"\)', rule)[1], ROOT)):
                third = {found.partition(".")[0] for found in imports(ROOT / source)}
                third -= {"phonoscope", "__future__", *sys.stdlib_module_names}
                if "synthe" not in path.name and "corpora" not in path.name:
                    third -= OPTIONAL
                missing = {packages.get(module, module) for module in third} - held
                assert not missing, f"{env} lacks {missing}, which {source} imports"
