"""Validate plain data by a JSON Schema, as far as ours go; an unknown keyword is an error of the test."""

from __future__ import annotations

import re

KINDS = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float),
    "null": type(None),
}  # fmt: skip
KNOWN = {
    "$schema", "$defs", "$ref", "title", "description", "default", "type", "enum", "const", "anyOf", "allOf",
    "not", "if", "then", "dependentSchemas", "required", "properties", "patternProperties", "propertyNames",
    "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "minimum", "pattern",
}  # fmt: skip


def faults(value, schema, root=None, place="$"):
    """Say where a value is not what a schema allows; none where it is.

    A key that an object's `properties` lack is a fault even where the schema leaves room for later ones.
    """
    root = schema if root is None else root
    if isinstance(schema, bool):
        return [] if schema else [f"{place}: nothing is allowed here"]
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    found = []
    if "$ref" in schema:
        found += faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
    if "anyOf" in schema:
        tried = [faults(value, one, root, place) for one in schema["anyOf"]]
        found += [] if [] in tried else min(tried, key=len)
    for one in schema.get("allOf", ()):
        found += faults(value, one, root, place)
    if "if" in schema and not faults(value, _open(schema["if"]), root, place):
        found += faults(value, schema["then"], root, place)
    if "not" in schema and not faults(value, _open(schema["not"]), root, place):
        found.append(f"{place}: {value!r} is forbidden")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place}: {value!r} is none of {schema['enum']}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{place}: {value!r} is not {schema['const']!r}")
    named = schema.get("type", [])
    allowed = [named] if isinstance(named, str) else named
    if allowed and not any(_is(value, kind) for kind in allowed):
        return [*found, f"{place}: {value!r} is not of type {allowed}"]
    if isinstance(value, dict):
        found += _object_faults(value, schema, root, place)
    elif isinstance(value, list):
        found += _list_faults(value, schema, root, place)
    elif isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place}: {value!r} does not match {schema['pattern']}")
    elif isinstance(value, int | float) and value < schema.get("minimum", value):
        found.append(f"{place}: {value} is below {schema['minimum']}")
    return found


def _open(condition):
    """Return a condition that says nothing of the keys it does not name."""
    return {"additionalProperties": True, **condition}


def _is(value, kind):
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object_faults(value, schema, root, place):
    found = [f"{place} lacks {name}" for name in schema.get("required", []) if name not in value]
    properties, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    # Without a word on other keys, those of `properties` are all that is written.
    rest = schema.get("additionalProperties", not properties)
    for key, inner in value.items():
        matching = [one for pattern, one in patterns.items() if re.search(pattern, key)]
        own = [*([properties[key]] if key in properties else []), *matching]
        for one in own or [rest]:
            if one is False:
                found.append(f"{place}: unknown key {key}")
            else:
                found += faults(inner, one, root, f"{place}.{key}")
        found += faults(key, schema.get("propertyNames", True), root, f"{place}: name {key}")
        if key in (dependent := schema.get("dependentSchemas", {})):
            found += faults(value, _open(dependent[key]), root, place)
    return found


def _list_faults(value, schema, root, place):
    found = []
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        found.append(f"{place} has {len(value)} items")
    first = schema.get("prefixItems", [])
    for number, inner in enumerate(value):
        one = first[number] if number < len(first) else schema.get("items", True)
        found += faults(inner, one, root, f"{place}[{number}]")
    return found
