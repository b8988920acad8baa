"""Check a configuration against its schema, in the user's words, and fill in the defaults."""

import copy
import difflib
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from phonoscope.errors import InputError

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


def chosen(names, known, row, source, problem="is not configured"):
    """``names``, or all that are known for ``all``, after a check that they are.

    Parameters
    ----------
    names : list of str or "all"
    known : collection of str
    row, source : str
        Where the names stand, for the message.
    problem : str
        What is said of a name that is not known.

    Raises
    ------
    InputError
    """
    if names == "all":
        return list(known)
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"{unknown[0]} {problem}", path=source, row=row, fix=f"use names among {', '.join(known)}"
        )
    return names


@cache
def schema(name):
    """The JSON Schema ``workflow/schemas/{name}.schema.yaml`` as a dict."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))


def checked(data, name, source):
    """A copy of ``data`` that obeys the schema ``name``, with its defaults filled in.

    Parameters
    ----------
    data : dict
    name : str
        Of the schema.
    source : str
        The file that ``data`` comes from, for the message.

    Raises
    ------
    InputError
        At the first unknown key, missing key or value out of range; an unknown key comes with
        the nearest valid one.
    """
    root = schema(name)
    errors = sorted(
        Draft202012Validator(root).iter_errors(data), key=lambda error: list(map(str, error.path))
    )
    if errors:
        raise _explain(errors[0], source)
    return _fill(copy.deepcopy(data), root, root)


def _explain(error, source):
    where = ".".join(map(str, error.absolute_path)) or None
    if error.validator == "additionalProperties":
        valid = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(valid))[0]
        near = difflib.get_close_matches(unknown, valid, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(valid)}"
        return InputError(f"unknown key {unknown!r}", path=source, row=where, fix=fix.rstrip("?"))
    if error.validator == "enum":
        near = difflib.get_close_matches(
            str(error.instance), list(map(str, error.validator_value)), n=1, cutoff=0.5
        )
        fix = (
            f"did you mean {near[0]}" if near else f"use one of {', '.join(map(str, error.validator_value))}"
        )
        return InputError(f"{error.instance!r} is not a valid value", path=source, row=where, fix=fix)
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))[0]
        return InputError(f"the key {missing!r} is missing", path=source, row=where, fix=f"add {missing}")
    if error.parent is None and "propertyNames" in error.absolute_schema_path:
        return InputError(
            f"{error.instance!r} cannot be a name",
            path=source,
            row=where,
            fix="use letters, digits, _ and - only",
        )
    described = error.schema.get("description")
    return InputError(
        error.message, path=source, row=where, fix=described and f"the key means: {described.rstrip('.')}"
    )


def _fill(value, node, root):
    """Fill the defaults of schema ``node`` into ``value``, in place, and return it."""
    if "$ref" in node:
        value = _fill(value, _resolve(node["$ref"], root), root)
    for branch in node.get("allOf", []):
        if "if" in branch and Draft202012Validator(branch["if"]).is_valid(value):
            value = _fill(value, branch["then"], root)
    if not isinstance(value, dict):
        return value
    for key, child in node.get("properties", {}).items():
        if key not in value and "default" in child:
            value[key] = copy.deepcopy(child["default"])
        if key in value:
            value[key] = _fill(value[key], child, root)
    if isinstance(others := node.get("additionalProperties"), dict):
        for key in set(value) - set(node.get("properties", {})):
            value[key] = _fill(value[key], others, root)
    return value


def _resolve(reference, root):
    node = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node
