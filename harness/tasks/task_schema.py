"""JSON Schema of task files: of the keys that all tasks share, and of those of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.system.json_schema import SchemaForm, json_schema, type_schema
from harness.tasks.hub_tasks import PREFIX
from harness.tasks.kind_keys import kind_keys
from harness.tasks.task_file import ReadingTable, TaskFile, TaskTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.tasks.interface import TaskKind
    from harness.tasks.kind_keys import KindKeys

    Schema = dict[str, Any]

_TOML = SchemaForm(toml=True)
_HUB = {
    "revision": "The commit of a dataset of the hub, or a branch.",
    "config": "The configuration of a dataset of the hub, where it has several.",
    "subset": "Another word for `config`.",
    "split": "The split to read.",
}
"""Keys of a task whose path is a dataset of the hub."""


def task_file_schema(kinds: Mapping[str, TaskKind], title: str) -> Schema:
    """Return the schema of a task file with tasks of these kinds."""
    schema = json_schema(TaskFile, title, _TOML)
    file = schema["$defs"]["TaskFile"]
    file["properties"]["tasks"]["additionalProperties"] = {"$ref": "#/$defs/Task"}
    file["anyOf"] = [{"required": ["tasks"]}, {"required": ["suites"]}]
    schema["$defs"]["Task"] = _task(kinds)
    return schema


def _task(kinds: Mapping[str, TaskKind]) -> Schema:
    """Return the schema of a task: the keys of its kind, and those of all kinds for editors to suggest."""
    tables = {name: _kind(kind) for name, kind in sorted(kinds.items())}
    shown: Schema = {}
    for table in tables.values():
        for key, inner in table["properties"].items():
            shown[key] = inner if shown.get(key, inner) == inner else {}
    if any(table["additionalProperties"] for table in tables.values()):
        # A kind that refuses no key may take any value under the name of another kind's key.
        general = _properties(TaskTable)
        shown = {key: inner if key in general else _described(inner) for key, inner in shown.items()}
    helps = [f"`{name}`: {kind.help}" for name, kind in sorted(kinds.items())]
    shown["kind"] = {"enum": list(tables), "description": "\n".join(helps)}
    return {
        "title": "Task",
        "description": "A task over your own data: its kind says which keys it takes.",
        "type": "object",
        "properties": shown,
        "required": ["kind", "path"],
        "allOf": [
            {"if": {"properties": {"kind": {"const": name}}, "required": ["kind"]}, "then": table}
            for name, table in tables.items()
        ],
    }


def _kind(kind: TaskKind) -> Schema:
    """Return the schema of a task of one kind."""
    keys = kind_keys(kind)
    properties = _properties(TaskTable)
    if keys is None:
        return {"properties": properties, "additionalProperties": True}
    own = {name: _option(keys, name) for name in keys.options}
    properties |= {
        **(_properties(ReadingTable) if keys.rows else {}),
        **own,
        "columns": _named(properties["columns"], keys.columns),
        "templates": _named(properties["templates"], keys.templates),
    }
    if not keys.rows:
        one = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 1}
        properties["path"] = {**properties["path"], "anyOf": [{"type": "string"}, one]}
        properties["columns"]["additionalProperties"] = {"type": "string"}
    of_hub = [key for key in _hub_keys(kind, keys) if key not in properties]
    properties |= {key: {"type": "string", "description": _HUB[key]} for key in of_hub}
    path = {"properties": {"path": {"type": "string", "pattern": f"^{PREFIX}"}}}
    return {
        "properties": properties,
        "additionalProperties": False,
        "dependentSchemas": dict.fromkeys(of_hub, path),
        "not": {"required": ["config", "subset"]},
    }


def _hub_keys(kind: TaskKind, keys: KindKeys) -> list[str]:
    """Return the keys that say which part of a dataset of the hub is read: see `hub_options`."""
    if kind.folder:
        return ["revision", *(["subset"] if "config" in keys.options else [])]
    return [*_HUB]


def _option(keys: KindKeys, name: str) -> Schema:
    option = keys.options[name]
    return {} if option is None else {**type_schema(option.type), "description": option.help}


def _properties(table: type) -> Schema:
    whole: Schema = json_schema(table, "", _TOML)["$defs"][table.__name__]["properties"]
    return whole


def _described(schema: Schema) -> Schema:
    return {word: schema[word] for word in schema if word == "description"}


def _named(schema: Schema, names: tuple[str, ...]) -> Schema:
    return {**schema, "propertyNames": {"enum": list(names)}}
