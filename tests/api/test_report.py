"""`results.report()` and `comparisons.report()`: a page that a notebook shows, and a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from comparison.made import answer, right

import harness
from harness import HarnessError

WRITER = """
from harness import hookimpl
from harness.authoring import ReportWriter


def page(content):
    return f'<title>{content.title}</title>"&<script>1</script>'


@hookimpl
def harness_reports():
    return [ReportWriter(name="html", help="tiny", page=page, leaderboard=page, figures=dict)]
"""


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Write results of two models and a plugin that writes tiny pages; the options that name it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")
    Path("writer.py").write_text(WRITER)
    for seed, (name, share) in enumerate((("base", 0.5), ("mine", 0.9))):
        answer("one", name, "quiz", correct=right(share, 60, seed=seed))
    return {"plugins": ["writer.py"]}


def test_results_make_a_page_that_a_notebook_shows_in_a_frame_of_its_own(options):
    found = harness.read_results("one").report(baseline="base", margin=0.01, examples=3, **options)
    assert found.content.answer.outcome == "passes"
    assert len(found.content.examples[0].ids) == 3
    shown = found._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts" title="mine against base"')
    assert "<script>" not in shown
    assert "&quot;&amp;&lt;script&gt;1&lt;/script&gt;" in shown
    assert repr(found).startswith("<ReportPage: mine against the baseline base, with a margin of 0.01")
    found.save("saved.html")
    assert Path("saved.html").read_text() == found.page


def test_a_path_is_written_and_one_that_is_no_file_is_refused(options):
    results = harness.read_results("one")
    results.report("page.html", **options)
    assert Path("page.html").read_text().startswith("<title>mine against base</title>")
    with pytest.raises(HarnessError, match="it is a folder"):
        results.report("one", **options)
    with pytest.raises(HarnessError, match="no option of report named 'margn'"):
        results.report(margn=0.1)
    with pytest.raises(HarnessError, match="no plugin writes reports"):
        results.report()


def test_comparisons_make_a_page_of_themselves_alone(options):
    made = harness.compare("one", baseline="mine", candidates="base", margin=0.01, domain="quiz", **options)
    found = made.report("page.html", title="Mine")
    assert found.content.title == "Mine"
    assert found.content.answer.outcome == "fails"
    (family,) = found.content.compared
    command = (
        "harness compare one --baseline mine --candidate base --margin 0.01 --domain quiz --plugin writer.py"
    )
    assert family.command == command
    printed = json.loads(made.to_json())["comparisons"]
    assert [one.sentence for one in family.comparisons] == [one["sentence"] for one in printed]
    assert Path("page.html").is_file()


def test_results_that_are_some_of_a_folder_make_a_page_of_these_alone(options):
    whole = harness.read_results("one")
    some = harness.Results(whole.folder, [one for one in whole.records if one.candidate.model == "mine"])
    found = some.report(**options)
    assert [model.name for model in found.content.models] == ["mine"]
    assert found.content.folders == (str(whole.folder),)
