"""JSON Schema (draft 2020-12) of dataclasses: of the tables of TOML files, and of JSON documents.

msgspec makes it of the annotations, by which the files are read; the string below a field becomes its
description.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaForm:
    """How the files or documents of a dataclass are written and read."""

    toml: bool = False
    """Tables of TOML: a key that is unknown is refused, and there is no null."""
    hyphens: bool = False
    """Whether keys may have - for _."""
    complete: bool = False
    """Whether every field is written; a number that is not finite is then null."""


def choices(names: Iterable[str]) -> msgspec.Meta:
    """Return what `Annotated` takes beside `str`, for a text that is one of these names."""
    return extra(enum=list(names))


def extra(**keywords: Any) -> msgspec.Meta:  # noqa: ANN401 - what JSON can hold
    """Return an annotation that adds keywords to the schema of a type.

    For the schema alone: the reader of a file leaves it to the code that knows the values to refuse others.
    """
    return msgspec.Meta(extra_json_schema=keywords)


def json_schema(kind: type, title: str, form: SchemaForm) -> Schema:
    """Return the schema of a dataclass; `$defs` has one of each dataclass in it, by the name of its class."""
    known = {each.__name__: each for each in _dataclasses(kind)}
    (root,), definitions = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    described = {
        name: _of_class(known[name], schema, form) if name in known else schema
        for name, schema in definitions.items()
    }
    return {"$schema": DIALECT, "title": title, **root, "$defs": plain_schema(described)}


def type_schema(kind: Any) -> Schema:  # noqa: ANN401 - a type
    """Return the schema of a value of TOML of a type without dataclasses: `Literal["drop", "keep"]`."""
    (schema,), definitions = msgspec.json.schema_components([kind], ref_template="{name}")
    return _without_null(plain_schema(definitions.get(schema.get("$ref", ""), schema)))


def plain_schema(schema: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    """Return a schema of dicts and lists alone: msgspec has tuples in it."""
    if isinstance(schema, dict):
        return {key: plain_schema(inner) for key, inner in schema.items()}
    return [plain_schema(inner) for inner in schema] if isinstance(schema, list | tuple) else schema


def key_of(field: str) -> str:
    """Return the key that a field is written as: without the _ of a name that Python keeps for itself."""
    return field.removesuffix("_")


def field_docstrings(record: type) -> dict[str, str]:
    """Return the string below each field of a dataclass, by the field's name; those of its parents, too."""
    found: dict[str, str] = {}
    for kind in reversed(record.__mro__):
        if is_dataclass(kind):
            found |= _own_docstrings(kind)
    return found


def _own_docstrings(record: Any) -> dict[str, str]:  # noqa: ANN401 - a dataclass
    tree = ast.parse(inspect.cleandoc(inspect.getsource(record)))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: " ".join(ast.literal_eval(below.value).split())
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
    }


def _dataclasses(kind: Any, found: dict[type, None] | None = None) -> Iterator[type]:  # noqa: ANN401 - a type
    """Yield the dataclasses that a type is made of, each once."""
    found = {} if found is None else found
    if is_dataclass(kind) and isinstance(kind, type):
        if kind in found:
            return
        found[kind] = None
        yield kind
        for inner in get_type_hints(kind).values():
            yield from _dataclasses(inner, found)
    for part in get_args(kind):
        yield from _dataclasses(part, found)


def _of_class(record: Any, schema: Schema, form: SchemaForm) -> Schema:  # noqa: ANN401 - a dataclass
    """Return msgspec's schema of a dataclass as the form has it, with descriptions."""
    columns = {column.name: column for column in fields(record) if column.compare or not form.toml}
    descriptions = field_docstrings(record)
    properties: Schema = {}
    for name, inner in schema["properties"].items():
        if name not in columns:
            continue
        shown = _without_null(inner) if form.toml else inner
        if form.complete:
            shown = _with_null(shown)
        if name == "schema":
            shown = {"const": columns[name].default}
        if name in descriptions:
            shown = shown | {"description": descriptions[name]}
        properties[key_of(name)] = shown
    required = list(schema.get("required", ()))
    made = {**schema, "properties": properties}
    made.pop("required", None)
    if form.complete:
        required = list(columns)
    if "schema" in columns and "schema" not in required:
        required.insert(0, "schema")
    if required:
        made["required"] = [key_of(name) for name in required]
    if form.toml:
        made["additionalProperties"] = False
    return _with_hyphens(made) if form.hyphens else made


def _with_hyphens(schema: Schema) -> Schema:
    """Write keys with -; those with _ are patterns, which are understood and not suggested by editors."""
    properties = {key.replace("_", "-"): inner for key, inner in schema["properties"].items()}
    both = {
        f"^{re.escape(key).replace('_', '[-_]')}$": inner
        for key, inner in schema["properties"].items()
        if "_" in key
    }
    return {**schema, "properties": properties} | ({"patternProperties": both} if both else {})


def _without_null(schema: Schema) -> Schema:
    """Return the schema of a value that cannot be null: a key that is None is left out.

    A list of names, each once, may be written with one of them twice.
    """
    kept = {key: inner for key, inner in schema.items() if key != "uniqueItems"}
    if kept.get("default", ...) is None:
        del kept["default"]
    if "anyOf" not in kept:
        return kept
    parts = [part for part in kept.pop("anyOf") if part != {"type": "null"}]
    return {**parts[0], **kept} if len(parts) == 1 else {"anyOf": parts, **kept}


def _with_null(schema: Schema) -> Schema:
    return schema | {"type": ["number", "null"]} if schema.get("type") == "number" else schema
