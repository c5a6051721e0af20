"""`harness report DIR… -o FILE`, and the pages that other commands write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from comparison.made import answer, reseal, right

WRITER = """
from harness import HarnessError, hookimpl
from harness.authoring import ReportContent, ReportWriter


def page(content):
    assert isinstance(content, ReportContent)
    return f"<title>{content.title}</title> {content.answer.outcome} {len(content.compared)}"


def figures(content):
    return {name: f"<svg>{len(content.boards)}</svg>" for name in ("forest", "intervals")}


@hookimpl
def harness_reports():
    return [ReportWriter(name="html", help="a tiny page", page=page, leaderboard=page, figures=figures)]
"""


@pytest.fixture
def writer(tmp_path):
    """Write a plugin that writes tiny pages; the options that name it."""
    (tmp_path / "writer.py").write_text(WRITER)
    return "--plugin", "writer.py"


@pytest.fixture(autouse=True)
def results():
    """Write results of two models on two tasks."""
    for seed, (name, share) in enumerate((("base", 0.5), ("mine", 0.9))):
        answer("one", name, "quiz", correct=right(share, 60, seed=seed))
        answer("one", name, "exam", correct=right(share, 40, seed=seed + 5))


def test_the_page_is_written_whatever_the_verdict_and_a_line_says_what_it_has(harness, writer):
    found = harness("report", "one", "-o", "out/page.html", "--baseline", "mine", "--margin", "0.01", *writer)
    assert found.code == 0, found.err
    assert Path("out/page.html").read_text() == "<title>base against mine</title> fails 2"
    assert "written: out/page.html (0 kB); outcome of base: fails, 2 models on 2 boards, " in found.out
    assert harness("report", "one", "-o", "out/page.html", "--title", "Mine", *writer).code == 0
    assert Path("out/page.html").read_text().startswith("<title>Mine</title>")
    assert [path.name for path in Path("out").iterdir()] == ["page.html"]


def test_the_content_is_printed_as_json_that_the_schema_describes(harness, document):
    content = document("report", harness("report", "one", "--format", "json", "--baseline", "base"))
    assert content["answer"]["compared"] == "mine against the baseline base, on 2 tasks: exam, quiz."
    assert content["command"] == "harness report one -o report.html --baseline base"
    said = harness("compare", "one", "--baseline", "base", "--format", "json").out
    assert content["compared"][0]["comparisons"] == json.loads(said)["comparisons"]
    assert harness("report", "one", "--format", "json", "-o", "c.json", "--baseline", "base").code == 0
    assert json.loads(Path("c.json").read_text()) == content


def test_a_hyphen_prints_the_page(harness, writer):
    found = harness("report", "one", "-o", "-", "--baseline", "base", *writer)
    assert (found.code, found.out.strip()) == (0, "<title>mine against base</title> passes 2")
    assert not Path("-").exists()


def test_one_figure_is_printed_or_written_and_an_unknown_one_is_an_error(harness, writer):
    assert harness("report", "one", "--figure", "forest", *writer).out == "<svg>2</svg>"
    assert harness("report", "one", "--figure", "forest", "-o", "f.svg", *writer).code == 0
    assert Path("f.svg").read_text() == "<svg>2</svg>"
    found = harness("report", "one", "--figure", "forrest", *writer)
    assert found.code == 2
    assert "did you mean: forest" in found.err


def test_the_leaderboard_alone_is_a_page_or_a_figure(harness, writer):
    found = harness("leaderboard", "one", "--format", "html", *writer)
    assert (found.code, found.out) == (0, "<title>base against mine</title> no-candidate 0")
    assert harness("leaderboard", "one", "--format", "svg", *writer).out == "<svg>2</svg>"


def test_compare_writes_a_page_too_and_its_exit_code_stays(harness, writer):
    words = ("compare", "one", "--baseline", "mine", "--margin", "0.01", "--format", "json")
    plain = harness(*words)
    found = harness(*words, "--report", "page.html", *writer)
    assert (found.code, found.out) == (plain.code, plain.out)
    assert plain.code == 1
    assert Path("page.html").read_text() == "<title>base against mine</title> fails 1"
    assert harness("compare", "one", "--all-pairs", "--report", "page.html", *writer).code == 0
    assert Path("page.html").read_text().endswith("passes 1")
    shutil.copytree("one", "two")
    words = ("compare", "one", "two", "--baseline", "base", "--candidate", "base")
    found = harness(*words, "--report", "p.html", *writer)
    assert found.code == 0, found.err
    assert Path("p.html").read_text() == "<title>base (two) against base</title> passes 1"


def test_several_seeds_are_one_candidate_of_the_page(harness, writer):
    answer("one", "more", "quiz", correct=right(0.8, 60, seed=9))
    answer("one", "more", "exam", correct=right(0.8, 40, seed=8))
    words = ("--baseline", "base", "--candidate", "mine,more", "--seeds")
    found = harness("compare", "one", *words, "--report", "page.html", *writer)
    assert found.code == 0, found.err
    assert Path("page.html").read_text() == "<title>2 candidates against base</title> passes 1"


def test_a_table_of_scores_alone_can_be_a_page(harness, writer):
    Path("csv").mkdir()
    shutil.copy("one/leaderboard.csv", "csv/board.csv")
    found = harness("compare", "csv/board.csv", "--baseline", "base", "--report", "page.html", *writer)
    assert found.code == 0, found.err
    assert "1" in Path("page.html").read_text()


def test_run_writes_a_page_of_the_whole_folder(harness, run, writer):
    assert run("--report", "page.html", *writer).code == 0
    assert Path("page.html").read_text() == "<title>lexical</title> no-candidate 0"
    content = json.loads(harness("report", "out", "--format", "json").out)
    assert content["runs"][0]["command"].startswith("harness run --no-throughput --out out --model lexical")
    assert content["boards"][0]["data"] == "sample"


def test_broken_records_are_exit_code_2_and_the_page_is_written(harness, writer):
    reseal(next(Path("one/records").glob("mine*/quiz.json")), '"per_example": true', '"per_example": false')
    found = harness("report", "one", "-o", "page.html", "--baseline", "base", *writer)
    assert found.code == 2
    assert "PROBLEM" in found.err
    assert Path("page.html").read_text().endswith("broken 2")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("one",), "-o says which file to write"),
        (("one", "-o", "."), "it is a folder or a device"),
        (("one", "-o", "page.html", "--baseline", "nobody"), "nobody"),
        (("nothing", "-o", "page.html"), "no results folder"),
        (("writer.py", "-o", "page.html"), "no results folder"),
        (("one", "-o", "one/leaderboard.csv/page.html"), "is not a folder"),
        (("one", "-o", "page.html", "--margin", "0.1", "--gate", "g.toml"), "give either --gate or --margin"),
        (("one", "-o", "page.html", "--domain", "nature"), "nature"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(harness, writer, words, said):
    found = harness("report", *words, *writer)
    assert found.code == 2
    assert said in found.err
    assert not Path("page.html").exists()


def test_without_a_writer_it_is_said_before_any_work(harness):
    for words in (
        ("report", "one", "-o", "p"),
        ("compare", "one", "--report", "p"),
        ("leaderboard", "one", "--format", "svg"),
    ):
        found = harness(*words)
        assert found.code == 2
        assert "no plugin writes reports as html" in found.err


def test_a_writer_that_raises_or_lacks_a_library_is_an_error_that_names_it(harness, writer):
    code = WRITER.replace(
        "    assert isinstance", "    raise LookupError('no template')\n    assert isinstance"
    )
    Path("writer.py").write_text(code)
    found = harness("report", "one", "-o", "page.html", *writer)
    assert found.code == 2
    assert "report writer html: page raised LookupError: no template" in found.err
    lacking = "def check():\n    raise HarnessError('html needs jinja2', hint='pip install it')\n"
    code = WRITER.replace("figures=figures", "figures=figures, check=check").replace(
        "@hookimpl", lacking + "@hookimpl"
    )
    Path("writer.py").write_text(code)
    found = harness("report", "one", "-o", "page.html", *writer)
    assert found.code == 2
    assert "html needs jinja2" in found.err
    assert not Path("page.html").exists()


def test_writers_are_listed(harness, writer):
    assert "a tiny page" in harness("list", "reports", *writer).out
    assert "reports" in harness("list", "plugins", *writer).out


def test_the_writer_that_the_documentation_shows_writes_a_page(harness):
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    Path("lines.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    words = ("--baseline", "base", "--title", "<b>", "--plugin", "lines.py", "-o", "lines.html")
    assert harness("report", "one", *words).code == 0
    page = Path("lines.html").read_text()
    assert page.startswith(
        "<title>&lt;b&gt;</title>mine against the baseline base, on 2 tasks: exam, quiz. mine"
    )
