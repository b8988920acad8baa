"""Check a configuration against its schema, in the user's words, and fill in the defaults."""

import copy
import difflib
import os
import re
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator, ValidationError, validators

from phonoscope.errors import InputError

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"

# More than any config needs; YAML's anchors can make a tree of any size, or one without end.
_MOST_VALUES, _DEEPEST = 100_000, 30
# Numbers further from 1, either way, overflow when they are divided.
_LARGEST = 1e18
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _whole(validator, pattern, instance, schema):
    # JSON Schema's own reading lets a line break follow the end.
    if isinstance(instance, str) and not re.fullmatch(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


# Patterns fit the whole text, and 2.0 is no integer: it would become part of a file's name.
_Validator = validators.extend(
    Draft202012Validator,
    {"pattern": _whole},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


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
    _check_values(data, source)
    errors = sorted(_Validator(root).iter_errors(data), key=lambda error: list(map(str, error.path)))
    if errors:
        raise _explain(errors[0], source)
    return _fill(copy.deepcopy(data), root, root)


def refuse_repeated(paths):
    """Refuse config files in which a mapping has a key twice: YAML would forget the first without a word.

    Parameters
    ----------
    paths : list of path-like
        What cannot be read is left to Snakemake, which says so.

    Raises
    ------
    InputError
    """
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8")
            nodes, seen = [yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))], set()
        except (OSError, ValueError, yaml.YAMLError, RecursionError):
            continue
        while nodes:
            node = nodes.pop()
            if id(node) in seen or not isinstance(node, yaml.CollectionNode):
                continue
            seen.add(id(node))
            if isinstance(node, yaml.SequenceNode):
                nodes += node.value
                continue
            nodes += [value for _, value in node.value]
            names = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in names and key.value != "<<":
                    raise InputError(
                        f"the key {key.value!r} is there twice",
                        path=os.path.relpath(path),
                        row=f"line {key.start_mark.line + 1}",
                        fix="keep one of them, or give them different names",
                    )
                names.add(key.value)


def _check_values(data, source):
    """Refuse what YAML can hold and a configuration cannot mean, wherever it is."""
    left, n = [(data, ())], 0
    while left:
        value, where = left.pop()
        n += 1
        problem = fix = None
        if n > _MOST_VALUES or len(where) > _DEEPEST:
            where, problem, fix = where[:5], "it holds too much", "look for an anchor (&) that holds itself"
        elif isinstance(value, dict):
            for key, child in value.items():
                if not isinstance(key, str) or _CONTROL.search(key):
                    problem, fix = f"the key {key!r} is no text", "put quotes around it, or choose a name"
                left.append((child, (*where, key)))
        elif isinstance(value, list):
            left += [(child, (*where, at)) for at, child in enumerate(value)]
        else:
            problem, fix = _wrong(value)
        if problem:
            row = ".".join(map(str, where)) or None
            raise InputError(problem[:200], path=source, row=row, fix=fix)


def _wrong(value):
    """What is wrong with a value that holds no others, and the fix; or two None."""
    if isinstance(value, str):
        if _CONTROL.search(value):
            return f"{value!r} holds a control character", "write it on one line, in single quotes"
    elif isinstance(value, (int, float)):
        size = abs(value)
        if not (size == 0 or 1 / _LARGEST <= size <= _LARGEST):
            shown = value if isinstance(value, float) else "an integer of very many digits"
            return f"{shown} is no number that can be meant here", "write a number of ordinary size"
    elif value is not None:
        return f"{value!r} is a {type(value).__name__} to YAML", "put quotes around it"
    return None, None


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
    fix = (
        f"the key means: {described.rstrip('.')}" if described else "config/README.md says what belongs here"
    )
    return InputError(error.message, path=source, row=where, fix=fix)


def _fill(value, node, root):
    """Fill the defaults of schema ``node`` into ``value``, in place, and return it."""
    if "$ref" in node:
        value = _fill(value, _resolve(node["$ref"], root), root)
    for branch in node.get("allOf", []):
        if "if" in branch and _Validator(branch["if"]).is_valid(value):
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
