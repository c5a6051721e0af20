"""JSON Schema of `harness compare --format json`, made from the records' annotations and docstrings.

`PYTHONPATH=tests python -m comparison.schema > docs/compare.schema.json` writes the file anew.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from itertools import pairwise

import msgspec

from harness.comparison.formats import Document


def json_schema():
    """Return the schema (JSON Schema 2020-12); descriptions are the docstrings of the fields."""
    (root,), definitions = msgspec.json.schema_components([Document], ref_template="#/$defs/{name}")
    described = {name: _with_descriptions(name, schema) for name, schema in definitions.items()}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "harness compare",
        **root,
        "$defs": described,
    }
    return json.loads(json.dumps(whole))  # lists in place of tuples


def _with_descriptions(name, schema):
    """Add descriptions, that a number may be null, and that every field is there."""
    descriptions = _field_docstrings(_record(name))
    properties = {
        field: _nullable(inner) | ({"description": descriptions[field]} if field in descriptions else {})
        for field, inner in schema["properties"].items()
    }
    return schema | {"properties": properties, "required": list(properties)}


def _record(name):
    """Return the record of a name, from the one module of `harness.comparison` that defines it."""
    modules = [module for path, module in sys.modules.items() if path.startswith("harness.comparison.")]
    (found,) = (
        getattr(module, name)
        for module in modules
        if getattr(getattr(module, name, None), "__module__", None) == module.__name__
    )
    return found


def _nullable(schema):
    return schema | {"type": ["number", "null"]} if schema.get("type") == "number" else schema


def _field_docstrings(record):
    """Return the string below each field of a dataclass, by the field's name."""
    (body,) = (
        node.body for node in ast.parse(inspect.getsource(record)).body if isinstance(node, ast.ClassDef)
    )
    return {
        field.target.id: " ".join(ast.literal_eval(below.value).split())
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n")
