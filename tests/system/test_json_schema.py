"""Schemas are those of the types: what a reader refuses, they refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from harness.system.json_schema import SchemaForm, choices, extra, field_docstrings, json_schema, type_schema


@dataclass(kw_only=True)
class Inner:
    """A table in a table."""

    word: Annotated[str, choices(("a", "b"))]
    """What it says,
    over two lines."""
    how_many: Annotated[int, extra(minimum=1)] | None = None


@dataclass(kw_only=True)
class Outer:
    """A table."""

    schema: int = 3
    inner_table: Inner
    share: float = 0.5
    names: frozenset[str] = frozenset()
    from_: Literal["here", "there"] = "here"
    file: str = field(default="", compare=False)


@dataclass(kw_only=True)
class Heir(Outer):
    more: str = ""
    """Of its own."""


def table(kind, form, name=None):
    return json_schema(kind, "title", form)["$defs"][name or kind.__name__]


def test_a_table_of_toml_has_the_keys_of_its_fields_and_no_others():
    outer = table(Outer, SchemaForm(toml=True))
    assert list(outer["properties"]) == ["inner_table", "schema", "share", "names", "from"]
    assert outer["additionalProperties"] is False
    assert outer["required"] == ["schema", "inner_table"]
    assert outer["properties"]["names"] == {"type": "array", "items": {"type": "string"}, "default": []}


def test_a_description_is_the_string_below_the_field():
    inner = table(Outer, SchemaForm(toml=True), "Inner")
    assert inner["properties"]["word"] == {
        "type": "string", "enum": ["a", "b"], "description": "What it says, over two lines.",
    }  # fmt: skip
    assert inner["description"] == "A table in a table."


def test_a_key_of_toml_is_left_out_and_never_null():
    inner = table(Outer, SchemaForm(toml=True), "Inner")
    assert inner["properties"]["how_many"] == {"type": "integer", "minimum": 1}


def test_keys_with_hyphens_are_suggested_and_those_with_underscores_understood():
    inner = table(Outer, SchemaForm(toml=True, hyphens=True), "Inner")
    assert list(inner["properties"]) == ["word", "how-many"]
    assert list(inner["patternProperties"]) == ["^how[-_]many$"]


def test_a_document_has_every_field_its_version_and_null_for_what_is_not_finite():
    outer = table(Outer, SchemaForm(complete=True))
    assert outer["required"] == ["schema", "inner_table", "share", "names", "from", "file"]
    assert outer["properties"]["schema"] == {"const": 3}
    assert outer["properties"]["share"]["type"] == ["number", "null"]
    assert "additionalProperties" not in outer


def test_an_heir_has_the_descriptions_of_its_parents():
    assert field_docstrings(Heir) == {"more": "Of its own."}
    assert list(table(Heir, SchemaForm())["properties"])[-1] == "more"


def test_the_schema_of_a_value_has_no_definitions():
    assert type_schema(str | tuple[str, ...]) == {
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    }
