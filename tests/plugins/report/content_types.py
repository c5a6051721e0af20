"""The TypeScript types of a report's content, from its JSON schema.

    python tests/plugins/report/content_types.py

writes them to where the page's JavaScript takes them from; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
FILE = ROOT / "plugins" / "harness_report" / "frontend" / "src" / "content.ts"
SCALARS = {"string": "string", "number": "number", "integer": "number", "boolean": "boolean", "null": "null"}


def content_types() -> str:
    """Return a TypeScript module with an interface for each record."""
    from harness.report.content import ReportContent
    from harness.system.json_schema import SchemaForm, json_schema

    schema = json_schema(ReportContent, "report", SchemaForm(complete=True))
    head = "// Written by tests/plugins/report/content_types.py from the schema of ReportContent.\n"
    return head + "".join(_declaration(name, record) for name, record in schema["$defs"].items())


def _declaration(name: str, record: dict[str, Any]) -> str:
    if "properties" not in record:
        return f"\nexport type {name} = {_type(record)};\n"
    fields = "".join(_field(key, inner) for key, inner in record["properties"].items())
    return f"\nexport interface {name} {{\n{fields}}}\n"


def _field(key: str, schema: dict[str, Any]) -> str:
    comment = f"  /** {schema['description']} */\n" if "description" in schema else ""
    return f"{comment}  {key}: {_type(schema)};\n"


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a value: of what msgspec's schemas have, anything else is a KeyError."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema or "enum" in schema:
        return _union(json.dumps(each) for each in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return _union(_type(each) for each in schema["anyOf"])
    if isinstance(schema["type"], list):
        return _union(SCALARS[each] for each in schema["type"])
    if schema["type"] == "array":
        return _array(schema)
    if schema["type"] == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return SCALARS[schema["type"]]


def _array(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(each) for each in schema['prefixItems'])}]"
    inner = _type(schema["items"])
    return f"({inner})[]" if "|" in inner else f"{inner}[]"


def _union(parts: Any) -> str:
    return " | ".join(dict.fromkeys(parts))


if __name__ == "__main__":
    FILE.write_text(content_types(), encoding="utf-8")
