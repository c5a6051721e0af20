"""`harness schema`: print the JSON Schema of a file that is read, or of a document that is printed."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import PluginOptions, plugin_options
from harness.cli.usage import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.plugins.loader import Plugins

    Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """A schema that can be printed."""

    what: str
    """What it describes, on one line."""
    module: str
    """Where its dataclass is."""
    name: str
    """The dataclass."""


TOML = {
    "config": SchemaSource("harness.toml", "harness.cli.config", "Config"),
    "tasks": SchemaSource(
        "task files, with the kinds that are installed", "harness.tasks.task_file", "TaskFile"
    ),
    "gate": SchemaSource("gate files of `harness compare`", "harness.comparison.gate", "GateFile"),
    "recipe": SchemaSource("recipes of `harness train`", "harness.training.recipe", "Recipe"),
}
"""Files that are read."""
RECORDS = {
    "record": SchemaSource(
        "records/MODEL/TASK.json of a results folder", "harness.results.records", "Evaluation"
    ),
    "bench": SchemaSource("records of `harness bench`, and its --json", "harness.bench.records", "Bench"),
}
"""Files that are written and read again."""
_DOCUMENTS = "harness.cli.documents"
PRINTED = {
    "comparison": SchemaSource("harness compare --format json", "harness.comparison.formats", "Document"),
    "report": SchemaSource("harness report --format json", "harness.report.content", "ReportContent"),
    "run": SchemaSource("harness run --json", _DOCUMENTS, "RunDocument"),
    "leaderboard": SchemaSource("harness leaderboard --format json", _DOCUMENTS, "LeaderboardDocument"),
    "status": SchemaSource("harness status --json", _DOCUMENTS, "StatusDocument"),
    "verify": SchemaSource("harness verify --json", _DOCUMENTS, "VerifyDocument"),
    "check": SchemaSource("harness check --json", _DOCUMENTS, "CheckDocument"),
    "validate": SchemaSource("harness validate --json", _DOCUMENTS, "ValidateDocument"),
    "list": SchemaSource("harness list --json", "harness.cli.list_document", "ListDocument"),
    "plan": SchemaSource("harness plan --json", _DOCUMENTS, "PlanDocument"),
    "cache": SchemaSource("harness cache info --json", _DOCUMENTS, "CacheDocument"),
}
"""Documents that are printed."""
SCHEMAS: Mapping[str, SchemaSource] = {**TOML, **RECORDS, **PRINTED}


@click.command(name="schema")
@click.argument("name", type=Choice(list(SCHEMAS), "schema"), required=False)
@plugin_options
def command(name: str | None, *, plugins: PluginOptions) -> None:
    """Print the JSON Schema of a file or a document; what there is, without a NAME.

    \b
    harness schema config > harness.schema.json
    harness schema tasks --plugin paraphrases.py > tasks.schema.json

    An editor completes and checks a TOML file whose first line is `#:schema ./harness.schema.json`.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.cli.output import echo
    from harness.cli.workspace import Workspace

    if name is None:
        width = max(map(len, SCHEMAS))
        echo("".join(f"{each:{width}}  {source.what}\n" for each, source in SCHEMAS.items()))
        return
    loaded = Workspace.despite_faults(plugins).plugins if name in ("tasks", "recipe") else None
    echo(json.dumps(make_schema(name, loaded), indent=1, ensure_ascii=False) + "\n")


def make_schema(name: str, plugins: Plugins | None = None) -> Schema:
    """Return the schema of a name, one of SCHEMAS.

    plugins: those whose kinds of task and trainers may be named; without them, any.
    """
    from harness.system.json_schema import SchemaForm, json_schema

    title = f"harness {name}"
    if name == "tasks":
        from harness.tasks.task_schema import task_file_schema

        return task_file_schema(plugins.task_kinds() if plugins else {}, title)
    source = SCHEMAS[name]
    kind = getattr(importlib.import_module(source.module), source.name)
    form = SchemaForm(toml=name in TOML, hyphens=name == "config", complete=name in PRINTED)
    schema = json_schema(kind, title, form)
    table = schema["$defs"][kind.__name__]
    if name == "config":
        _allow_single_texts(table)
    elif name == "recipe":
        _adapt_recipe(table, plugins)
    elif name == "record":
        seal = "Checksum of the rest; absent in records of before it was written."
        table["properties"]["seal"] = {"type": "string", "description": seal}
    return schema


def _allow_single_texts(table: Schema) -> None:
    """Let one text be written for a list of one, as the reader of the configuration does."""
    from harness.cli.config import LISTS

    for keys in (table["properties"], table["patternProperties"]):
        for key, inner in keys.items():
            if key.strip("^$").replace("[-_]", "_").replace("-", "_") in LISTS:
                rest = {word: inner[word] for word in inner if word in ("default", "description")}
                ways = inner.get("anyOf") or [{word: inner[word] for word in inner if word not in rest}]
                keys[key] = {"anyOf": [*ways, {"type": "string"}], **rest}


def _adapt_recipe(table: Schema, plugins: Plugins | None) -> None:
    """Let the name be left out, which is then the file's; and let the trainer be one that is installed."""
    table["required"].remove("name")
    if plugins and (trainers := plugins.trainers()):
        table["properties"]["trainer"]["enum"] = sorted(trainers)
