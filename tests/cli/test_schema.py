"""`harness schema`: what our readers take passes, and what they refuse does not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import click
import pytest
from json_schema import KNOWN, faults

from harness.bench.records import SCHEMA as BENCH_VERSION
from harness.cli import cli
from harness.cli.config import read_config_file
from harness.cli.schema import PRINTED, RECORDS, SCHEMAS, make_schema
from harness.comparison.gate import read_gate
from harness.errors import HarnessError
from harness.plugins.loader import load_plugins
from harness.tasks.task_file import read_task_file
from harness.training.recipe_file import read_recipe

ROOT = Path(__file__).parents[2]
RECORD_FILES = sorted((ROOT / "results" / "example" / "records").rglob("*.json"))


@pytest.fixture(scope="module")
def plugins():
    return load_plugins(allowed=["sts", "triplet", "clauses", "retrieval", "train"])


@pytest.fixture(scope="module")
def schemas(plugins):
    return {name: make_schema(name, plugins) for name in SCHEMAS}


def words_of(schema):
    """Yield the keywords of a schema and of those in it."""
    yield from schema
    for word, inner in schema.items():
        named = word in ("$defs", "properties", "patternProperties", "dependentSchemas")
        inside = inner.values() if named else inner if isinstance(inner, list) else [inner]
        for one in inside if word not in ("default", "const", "enum") else ():
            if isinstance(one, dict):
                yield from words_of(one)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_the_draft_and_nothing_in_it_leads_nowhere(name, schemas):
    schema = schemas[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(words_of(schema)) <= KNOWN
    text = json.dumps(schema)
    for found in set(text.split('"$ref": "#/$defs/')[1:]):
        assert found.split('"')[0] in schema["$defs"]


@pytest.mark.parametrize("name", [*RECORDS, *PRINTED])
def test_every_document_has_a_version(name, schemas):
    schema = schemas[name]
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert root["properties"]["schema"] == {"const": BENCH_VERSION}
    assert "schema" in root["required"]


# --- files as users write them ----------------------------------------------------------------------------


def read(name, text, folder, plugins):
    """Read a file as its command does."""
    file = folder / ("harness.toml" if name == "config" else f"{name}.toml")
    file.write_text(text, encoding="utf-8")
    if name == "tasks":
        return read_task_file(file, plugins.task_kinds())
    return {"config": read_config_file, "gate": read_gate, "recipe": read_recipe}[name](file)


RECIPE = '[data]\nkind = "pairs"\n[loss]\nname = "MultipleNegativesRankingLoss"\n'
TASK = '[tasks.own]\nkind = "sts"\npath = "pairs.csv"\n'
RETRIEVAL = '[tasks.own]\nkind = "retrieval"\npath = "folder"\n'
GOOD = [
    ("config", ""),
    ("config", 'models = "minilm"\ntasks = ["sts"]\ntask-files = "own.toml"\nno_texts = true\n'),
    ("config", 'models = ["minilm"]\n[suites.release]\ntasks = ["stsb"]\nmetrics = { stsb = ["pearson"] }\n'),
    ("config", '[models.small]\nmodel = "minilm"\ntruncate-dim = 128\ndtype = "bfloat16"\nthreads = 2\n'),
    ("config", '[models.asked]\nmodel = "./m"\nprompts = { query = "q: " }\nmax_seq_length = 64\n'),
    ("gate", "margin = 0.01\n"),
    ("gate", 'undecided = "pass"\nthroughput = 1\n[[line]]\ntag = "legal"\nover = "mean"\ngain = 0.01\n'),
    ("recipe", RECIPE),
    ("recipe", 'name = "mine"\nbase = "./m"\n' + RECIPE + "[evaluation]\nevery = 100\n[train]\nepochs = 2\n"),
    ("tasks", TASK),
    ("tasks", TASK + 'header = ["a"]\ncolumns = { text1 = 5 }\nscores = ["a", "b"]\ntags = ["a", "a"]\n'),
    ("tasks", RETRIEVAL + 'ties = "trec_eval"\nmissing-documents = "drop"\nheader = false\n'),
    ("tasks", '[tasks.own]\nkind = "sts"\npath = "hub:org/pairs"\nrevision = "main"\nconfig = "en"\n'),
    ("tasks", TASK.replace("sts", "clauses") + "labels = { entailment = 1, contradiction = 0 }\n"),
    ("tasks", '[suites.release]\ntasks = ["stsb"]\n'),
]  # fmt: skip
BROKEN = [
    ("config", 'model = ["minilm"]\n'),
    ("config", "models = 3\n"),
    ("config", 'cache-sizes = "1GiB"\n'),
    ("config", "[suites.release]\nmetrics = {}\n"),
    ("config", "[models.small]\ntruncate-dim = 128\n"),
    ("config", '[models.small]\nmodel = "minilm"\nnormalise = true\n'),
    ("config", '[models.small]\nmodel = "minilm"\ntruncate_dim = "128"\n'),
    ("gate", "margins = 0.01\n"),
    ("gate", 'margin = "small"\n'),
    ("gate", 'margin = 0.01\nundecided = "maybe"\n'),
    ("gate", '[[line]]\nover = "median"\nmargin = 0.1\n'),
    ("recipe", '[loss]\nname = "TripletLoss"\n'),
    ("recipe", RECIPE.replace("Negatives", "Positives")),
    ("recipe", RECIPE + "margins = 0.5\n"),
    ("recipe", RECIPE + '[train]\nepochs = "two"\n'),
    ("recipe", RECIPE.replace('"pairs"', '"pears"')),
    ("tasks", TASK.replace("tasks", "task")),
    ("tasks", TASK.replace("sts", "stss")),
    ("tasks", '[tasks.own]\nkind = "sts"\n'),
    ("tasks", TASK + 'ties = "expected"\n'),
    ("tasks", TASK + 'config = "en"\n'),
    ("tasks", TASK + 'columns = { txet1 = "a" }\n'),
    ("tasks", TASK + "scores = 3\n"),
    ("tasks", TASK + 'quoting = "some"\n'),
    ("tasks", '[tasks.own]\nkind = "retrieval"\npath = ["a", "b"]\n'),
    ("tasks", RETRIEVAL + 'ties = "best"\n'),
]


@pytest.mark.parametrize(("name", "text"), GOOD)
def test_what_a_reader_takes_its_schema_takes(name, text, tmp_path, schemas, plugins):
    assert read(name, text, tmp_path, plugins) is not None
    assert faults(tomllib.loads(text), schemas[name]) == []


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_what_a_reader_refuses_its_schema_refuses(name, text, tmp_path, schemas, plugins):
    with pytest.raises(HarnessError):
        read(name, text, tmp_path, plugins)
    assert faults(tomllib.loads(text), schemas[name]) != []


@pytest.mark.parametrize(
    ("setting", "value"),
    [("dtype", '"float3"'), ("backend", '"fast"'), ("precision", '"int4"'), ("truncate-dim", "0")],
)
def test_a_value_that_no_model_takes_is_refused_by_the_schema_too(setting, value, schemas, harness):
    text = f'[models.small]\nmodel = "lexical"\n{setting} = {value}\n'
    assert faults(tomllib.loads(text), schemas["config"]) != []
    Path("harness.toml").write_text(text)
    assert harness("run", "--model", "small", "--tasks", "stsb").code == 2


def test_the_shipped_recipes_and_files_pass(schemas, plugins):
    for recipe in plugins.recipes().values():
        assert faults(recipe.to_dict(), schemas["recipe"]) == []
    for path in (ROOT / "plugins").rglob("*.toml"):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        assert faults(content, schemas["recipe" if "loss" in content else "tasks"]) == [], path
    gate = tomllib.loads((ROOT / "results" / "example" / "gate.toml").read_text(encoding="utf-8"))
    assert faults(gate, schemas["gate"]) == []


def test_every_record_of_the_example_passes_and_one_of_another_version_does_not(schemas):
    contents = [json.loads(path.read_bytes()) for path in RECORD_FILES]
    assert len(contents) > 10
    assert [fault for content in contents for fault in faults(content, schemas["record"])] == []
    assert faults({**contents[0], "schema": 2}, schemas["record"]) == ["$.schema: 2 is not 1"]


# --- the command ------------------------------------------------------------------------------------------


def test_without_a_name_the_command_says_which_there_are(harness):
    lines = harness("schema").out.splitlines()
    assert [line.split()[0] for line in lines] == list(SCHEMAS)


def test_kinds_of_a_plugin_and_their_keys_are_in_the_schema(harness):
    Path("own.py").write_text(
        "from harness import hookimpl\n"
        "from harness.authoring import TaskKind, TaskOption\n"
        "def build(definition):\n"
        "    deep = TaskOption(bool, 'How deep it looks.')\n"
        "    definition.allow(columns=['question'], options={'deep': deep})\n"
        "@hookimpl\n"
        "def harness_task_kinds():\n"
        "    return [TaskKind('quiz', 'questions', build), TaskKind('free', 'any', lambda given: 1 / 0)]\n"
    )
    answer = harness("schema", "tasks", "--plugin", "own.py")
    assert answer.code == 0
    schema = json.loads(answer.out)
    task = schema["$defs"]["Task"]["properties"]
    assert task["kind"]["enum"] == ["free", "quiz", "sts"]
    assert task["deep"] == {"description": "How deep it looks."}

    def found(**table):
        return faults({"tasks": {"own": {"path": "a", **table}}}, schema)

    assert found(kind="quiz", deep=True, columns={"question": "q"}) == []
    assert found(kind="quiz", deep=1) != []
    assert found(kind="quiz", header=True) == ["$.tasks.own: unknown key header"]
    # A kind that refuses no key, and one that fails before it says which it takes.
    assert found(kind="free", deep=1, header=True) == []
    assert found(kind="sts", deep=True) != []


def test_a_broken_configuration_does_not_keep_its_schema_back(harness):
    Path("harness.toml").write_text("modles = []\n")
    for name in ("config", "tasks", "recipe"):
        answer = harness("schema", name)
        assert (answer.code, json.loads(answer.out)["title"]) == (0, f"harness {name}")


def test_an_unknown_name_is_an_error_that_lists_the_known_ones(harness):
    answer = harness("schema", "tacks")
    assert answer.code == 2
    assert "did you mean: tasks" in answer.err
    assert "comparison, config, gate" in answer.err


# --- documents of commands --------------------------------------------------------------------------------

SPELLED = {"compare": "comparison", "info": "cache"}
"""Command → the name of the schema of its document, where that is another."""


def commands_with_json(group):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from commands_with_json(command)
        for parameter in command.params:
            form = parameter.type.choices if isinstance(parameter.type, click.Choice) else ()
            if "--json" in parameter.opts or ("--format" in parameter.opts and "json" in form):
                yield name


def test_every_command_that_prints_json_has_a_schema_which_the_page_names():
    names = [*commands_with_json(cli)]
    assert len(names) > 8
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    for name in names:
        schema = SPELLED.get(name, name)
        assert schema in {**RECORDS, **PRINTED}
        assert f"`harness schema {schema}`" in page
