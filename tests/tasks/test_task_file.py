"""Task files: tasks over the user's own data, without code."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import HarnessError, Task
from harness.authoring import TaskDefinition, TaskKind
from harness.tasks.task_file import read_task_file


class Defined(Task):
    """Remembers how it was defined."""

    kind, metrics = "sts", ()

    def __init__(self, definition: TaskDefinition):
        self.name, self.definition = definition.name, definition

    def load(self, source):
        raise AssertionError("reading a task file reads no data")

    def predict(self, model, dataset):
        raise AssertionError("reading a task file runs nothing")


KINDS = {"sts": TaskKind("sts", "pairs", Defined), "clauses": TaskKind("clauses", "clauses", Defined)}


@pytest.fixture
def read(tmp_path):
    def reading(content):
        path = tmp_path / "tasks.toml"
        path.write_text(content, encoding="utf-8")
        return read_task_file(path, KINDS)

    return reading


def test_a_table_becomes_a_definition_with_paths_relative_to_the_file(read, tmp_path):
    tasks = read("""
        [tasks.support]
        kind = "sts"
        path = "data/tickets.csv"
        tags = ["support", "ours"]
        columns = { text1 = "question", score = "rating" }
        templates = { text2 = "{title} — {text}" }

        [tasks.ours]
        kind = "clauses"
        path = "/elsewhere/test.json"
        train = "train.json"
        dev = "~/dev.json"
        classes = 3
    """)
    assert list(tasks) == ["support", "ours"]
    assert tasks["support"].definition == TaskDefinition(
        name="support",
        kind="sts",
        path=tmp_path / "data/tickets.csv",
        tags=frozenset({"support", "ours"}),
        columns={"text1": "question", "score": "rating"},
        templates={"text2": "{title} — {text}"},
    )
    assert tasks["ours"].definition == TaskDefinition(
        name="ours",
        kind="clauses",
        path=Path("/elsewhere/test.json"),
        options={"train": tmp_path / "train.json", "dev": Path("~/dev.json").expanduser(), "classes": 3},
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", r"tasks\.toml defines no tasks\n.*\[tasks\.NAME\]", id="nothing"),
        pytest.param(
            "tasks = 3",
            r"tasks\.toml: \[tasks\] must be a table of tables, not 3\n.*\[tasks\.NAME\]",
            id="no table",
        ),
        pytest.param("[tasks]", "defines no tasks", id="an empty table"),
        pytest.param(
            "[task.a]\nkind = 'sts'",
            r"no key in .*tasks\.toml named 'task'\n  did you mean: tasks\n(.*\n)*.*\[tasks\.NAME\]",
            id="a misspelled table",
        ),
        pytest.param(
            "[tasks]\na = 1", r"tasks\.toml: \[tasks\.a\] must be a table, not 1", id="a number for a task"
        ),
        pytest.param(
            "[tasks.a]\npath = 'x'", r"\[tasks\.a\] kind is missing.*\n.* kinds: clauses, sts", id="no kind"
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sts'", r"\[tasks\.a\] path is missing; it must be a text", id="no path"
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sst'\npath = 'x'", "named 'sst'\n.*did you mean: sts", id="no such kind"
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sts'\npath = 3",
            r"\[tasks\.a\] path must be a text or a list of texts, not 3",
            id="a number for a path",
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sts'\npath = 'x'\ntags = 'legal'",
            r"\[tasks\.a\] tags must be a list of texts, not 'legal'",
            id="a tag",
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sts'\npath = 'x'\ncolumns = ['a']",
            r"\[tasks\.a\.columns\] must be a table of texts or whole numbers, not \['a'\]",
            id="columns",
        ),
        pytest.param(
            "[tasks.a]\nkind = 'sts'\npath = 'x'\ntemplates = { a = 1 }",
            r"\[tasks\.a\.templates\] a must be a text, not 1",
            id="templates",
        ),
        pytest.param(
            "[tasks.'a,b']\nkind = 'sts'\npath = 'x'",
            r"tasks\.toml: \[tasks\.'a,b'\]: the name holds a comma",
            id="a comma in the name",
        ),
        pytest.param("[tasks.' a']\nkind = 'sts'\npath = 'x'", "name begins or ends", id="a space"),
        pytest.param("[tasks.'']\nkind = 'sts'\npath = 'x'", "the name is empty", id="an empty name"),
        pytest.param("[tasks.a\n", r"tasks\.toml is not TOML: .*line 1", id="no TOML"),
    ],
)
def test_an_error_names_the_table_and_the_key(content, message, read):
    with pytest.raises(HarnessError, match=message):
        read(content)


def test_an_error_names_a_missing_file(tmp_path):
    with pytest.raises(HarnessError, match=r"no task file .*absent\.toml"):
        read_task_file(tmp_path / "absent.toml", KINDS)


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("columns", {"txet1": "a"}, "no column of kind sts .task support. named 'txet1'\n.*mean: text1"),
        ("templates", {"score": "{a}"}, "no template of kind sts .task support. named 'score'"),
        ("options", {"trian": "x"}, "no option of kind sts .task support. named 'trian'\n.*mean: train"),
    ],
)
def test_a_kind_refuses_an_unknown_column_template_or_option(field, given, message):
    definition = TaskDefinition("support", "sts", Path("x.csv"), **{field: given})
    allowed = {"columns": ["text1", "text2", "score"], "templates": ["text1", "text2"], "options": ["train"]}
    with pytest.raises(HarnessError, match=message):
        definition.allow(**allowed)
    TaskDefinition("support", "sts", Path("x.csv"), columns={"text1": "a"}).allow(**allowed)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"paths": (Path("a"), Path("b"))}, r"\[tasks\.support\]: kind sts takes one path, not 2"),
        ({"columns": {"text1": 1}}, "takes names of columns, not positions"),
        ({"options": {"header": False}}, "no option of kind sts .* named 'header'"),
    ],
)
def test_a_kind_that_reads_no_files_of_rows_refuses_their_keys(given, message):
    definition = TaskDefinition("support", "sts", Path("a"), **given)
    with pytest.raises(HarnessError, match=message):
        definition.allow(columns=["text1"])
    definition.allow(columns=["text1"], rows=True)


def test_a_list_of_paths_is_relative_to_the_file_and_keeps_its_order(read, tmp_path):
    (task,) = read('[tasks.t]\nkind = "sts"\npath = ["b.tsv", "/a/*.tsv"]\nheader = ["x", "y"]\n').values()
    assert task.definition.paths == (tmp_path / "b.tsv", Path("/a/*.tsv"))
    assert task.definition.path == tmp_path / "b.tsv"
    assert task.definition.options == {"header": ("x", "y")}


def test_a_file_to_fit_on_is_read_as_the_others_and_has_no_split(tmp_path):
    (tmp_path / "dev.tsv").write_text("a\tb\nc\td\n")
    options = {"header": False, "split": "test"}
    definition = TaskDefinition("t", "sts", tmp_path / "folder", options=options)
    assert definition.read_rows(["x", "y"], file=tmp_path / "dev.tsv") == {"x": ["a", "c"], "y": ["b", "d"]}


def test_options_are_part_of_a_task_s_identity_and_paths_are_not(read):
    """A changed option changes answers and must not reuse an old record; rows count by their content."""
    (task,) = read('[tasks.t]\nkind = "sts"\npath = "a.csv"\nthreshold = 0.5\ntrain = "b.csv"\n').values()
    assert task.options == {"threshold": 0.5}
