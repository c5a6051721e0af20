"""Tables of boards: bold best scores, failures with reasons, names escaped."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from conftest import evaluated
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness import Finding, Settings, Severity
from harness.models.interface import Deviation
from harness.render import CONTROL
from harness.results.leaderboard import boards
from harness.results.records import Score, Throughput, Truncation
from harness.results.tables import ILLUSTRATIVE, models_table, task_tables
from harness.table import Cell, Table, to_markdown
from results.test_records import SPEED

MARKDOWN = MarkdownIt("commonmark").enable("table")
ANY_NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
MARKUP = st.text("*_`[](){}<>!|\\#&;:~-+=a1 \n", min_size=1, max_size=12)


def grid_of(*evaluations):
    (grid,) = task_tables(boards(evaluations))
    return grid


def scores(*pairs):
    return tuple(
        Score(metric=metric, score=score, low=score, high=score, examples=9, clusters=9)
        for metric, score in pairs
    )


# --- grids ------------------------------------------------------------------------------------------------


def test_up_to_three_models_are_columns_with_intervals():
    grid = grid_of(evaluated("a", score=0.5), evaluated("b", score=0.7))
    assert grid.header == ["", "a", "b"]
    assert grid.rows == [
        [Cell("spearman"), Cell("0.5000 [0.250, 0.750]"), Cell("0.7000 [0.250, 0.750]", best=True)]
    ]
    assert (grid.title, grid.subtitle) == ("stsb", "test · 10 examples in 8 clusters · data files (dddddddd)")


def test_more_models_are_rows_with_the_best_first():
    grid = grid_of(
        *(evaluated(name, score=score) for name, score in zip("abcd", (0.1, 0.4, 0.2, 0.3), strict=True))
    )
    assert grid.header == ["model", "spearman"]
    assert [row[0].text for row in grid.rows] == ["b", "d", "c", "a"]
    assert [row[1].best for row in grid.rows] == [True, False, False, False]


def test_the_best_of_each_metric_is_bold_and_so_are_ties():
    grid = grid_of(
        evaluated("a", scores=scores(("accuracy", 0.5), ("margin", 0.25))),
        evaluated("b", scores=scores(("accuracy", 0.75), ("margin", 0.25))),
    )
    assert [[cell.best for cell in row] for row in grid.rows] == [[False, False, True], [False, True, True]]


def test_one_model_alone_is_not_the_best():
    assert not any(cell.best for row in grid_of(evaluated("a")).rows for cell in row)


def test_a_failure_is_an_error_with_its_reason_on_one_line():
    grid = grid_of(evaluated("a", error="no file x.csv\n  hint: check the path"), evaluated("b"))
    assert grid.rows[0][1:] == [Cell("ERROR"), Cell("0.5000 [0.250, 0.750]", best=True)]
    assert grid.remarks == ["a: ERROR: no file x.csv"]


def test_a_board_of_failures_alone_is_shown():
    grid = grid_of(evaluated("a", error="boom", digest=""), evaluated("b", error="boom", scores=()))
    assert [cell.text for cell in grid.rows[0]] == ["spearman", "ERROR", "ERROR"]


def test_undefined_missing_and_zero_scores_look_different():
    grid = grid_of(
        evaluated("a", scores=(*scores(("m", 0.0)), Score(metric="n", score=None))),
        evaluated("b", scores=scores(("m", 0.0))),
    )
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["m", "0.0000 [0.000, 0.000]", "0.0000 [0.000, 0.000]"],
        ["n", "undefined", "–"],
    ]


def test_models_that_are_not_ranked_are_named_with_the_reason():
    grid = grid_of(evaluated("a"), evaluated("b"), evaluated("other", digest="e" * 64))
    assert grid.header == ["", "a", "b"]
    assert grid.remarks == ["other is not ranked, it was asked something else: data: dddddddd / eeeeeeee"]


def test_boards_of_one_task_remark_that_they_are_not_comparable():
    full, quick = task_tables(boards([evaluated("a"), evaluated("b", limit=5)]))
    assert full.remarks == [f"not comparable with stsb ({quick.subtitle})"]
    assert quick.remarks == [f"not comparable with stsb ({full.subtitle})"]


def test_samples_and_limits_are_in_the_subtitle():
    subtitle = grid_of(evaluated("a", data="sample", limit=5)).subtitle
    assert ILLUSTRATIVE in subtitle
    assert "LIMITED to a sample of whole clusters (limit 5): not comparable with the full set" in subtitle


def test_findings_and_truncation_are_remarks():
    finding = Finding("labels-inverted", Severity.WARNING, "AUC 0.1 is below chance")
    cut = Truncation(texts=8, truncated=2, tokens=100, lost=25)
    remarks = grid_of(evaluated("a", findings=(finding,), truncation=cut)).remarks
    assert remarks[0] == "a: labels-inverted (warning): AUC 0.1 is below chance"
    assert remarks[1].startswith("a: truncated (note): 2 of 8 texts (25%) exceed the model's maximum: 25% of")


def test_facts_of_a_model_are_shown_although_one_of_its_tasks_failed():
    given = [evaluated("a", "legal"), evaluated("a", "stsb", error="boom"), evaluated("b", error="boom")]
    grid = models_table(boards(given), [])
    assert [[cell.text for cell in row[:4]] for row in grid.rows] == [
        ["a", "22.7 M", "384", "256"],
        ["b", "?", "?", "?"],
    ]
    assert grid.remarks == []


def test_permissions_are_remarks_on_the_models():
    one = evaluated("m")
    settings = Settings(trust_remote_code=True, allow_pickle=True)
    allowed = replace(one, candidate=replace(one.candidate, settings=settings))
    assert models_table(boards([one]), []).remarks == []
    assert models_table(boards([allowed]), []).remarks == [
        "m: its own code was allowed to run (--trust-remote-code)",
        "m: pickled weights were allowed (--allow-pickle)",
    ]


def test_what_a_million_documents_take_is_shown_where_a_model_is_stored_otherwise():
    one = evaluated("full")
    ways = {"small": Settings(truncate_dim=384, precision="int8"), "tiny": Settings(precision="binary")}
    others = [
        replace(one, candidate=replace(one.candidate, model=name, settings=settings))
        for name, settings in ways.items()
    ]
    failed = evaluated("failed", error="boom")
    grid = models_table(boards([one, *others, failed]), [])
    assert grid.header[-1] == "1 M docs"
    assert {row[0].text: row[-1].text for row in grid.rows} == {
        "full": "1,536 MB", "small": "384 MB int8", "tiny": "48 MB binary", "failed": "?",
    }  # fmt: skip
    assert "1 M docs" not in models_table(boards([one, failed]), []).header


def test_what_quantizing_costs_is_a_remark_apart_from_that_of_the_dtype():
    one = evaluated("m")
    cost = Deviation(texts=64, largest=0.25, p99=0.2, neighbors=0.875)
    facts = replace(one.candidate.facts, quantization=cost, similarity="hamming")
    settings = Settings(precision="binary")
    stored = replace(one, candidate=replace(one.candidate, settings=settings, facts=facts))
    (remark,) = models_table(boards([stored]), []).remarks
    assert remark == (
        "m: stored in binary, compared by Hamming distance: 1 − cos up to 2.5e-01 from float32"
        " (99th percentile 2.0e-01); 87.5% of neighbors stay"
    )


@pytest.mark.parametrize(
    "unseen",
    [
        "\x1b[2J",
        "\x07",
        "\x9b31m",
        "\0",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\xad",
        "\U000e0041",
    ],
    ids=ascii,
)
def test_a_table_has_no_invisible_or_control_characters(unseen):
    name = f"a{unseen}b"
    assert unseen[0] not in to_markdown([grid_of(evaluated(name), evaluated("other", score=0.1))])


def test_a_slower_backend_and_a_lower_precision_are_remarks_on_the_models():
    one = evaluated("a")
    facts = replace(
        one.candidate.facts, backend="batched", notes=("not packed: its attention cannot be replaced",),
        deviation=Deviation(texts=64, largest=6.5e-5, p99=6e-5, neighbors=0.994),
    )  # fmt: skip
    settings = Settings(dtype="bfloat16")
    grid = models_table(
        boards([replace(one, candidate=replace(one.candidate, facts=facts, settings=settings))]), []
    )
    assert grid.rows[0][5].text == "cpu bfloat16 batched"
    assert grid.remarks == [
        "a: not packed: its attention cannot be replaced",
        (
            "a: bfloat16 moves embeddings by up to 1 − cos = 6.5e-05 from float32 (99th percentile 6.0e-05);"
            " 99.4% of neighbors stay"
        ),
    ]


def test_speeds_are_shown_with_their_spread_and_machine():
    speed = Throughput(
        model="a", fingerprint="a" * 64, workload="w" * 64, texts=10, tokens=100, seconds=(0.1,),
        cpu_seconds=(0.1,), texts_per_second=75.4, texts_per_second_low=50.0, texts_per_second_high=100.0,
        tokens_per_second=12_345.0, device="cpu", dtype="float32", backend="plain", threads=1,
        processor="Xeon", cores=2, load=None,
    )  # fmt: skip
    other = replace(speed, fingerprint="f" * 64, processor="of another model")
    grid = models_table(boards([evaluated("a")]), [speed, other])
    assert [cell.text for cell in grid.rows[0][-2:]] == ["75 (50 – 100)", "12.3 k"]
    assert "Xeon, 2 cores" in grid.remarks[0]
    assert "another" not in grid.remarks[0]


# --- Markdown, as markdown-it reads it --------------------------------------------------------------------


def read_back(text):
    """Return the texts of title, cells and remarks, and the kinds of tokens inside them.

    An empty comment is neither: GitHub shows nothing of it, and links nothing that has one in it.
    """
    inline = [
        [child for child in token.children if (child.type, child.content) != ("html_inline", "<!-- -->")]
        for token in MARKDOWN.parse(text)
        if token.type == "inline"
    ]
    kinds = {child.type for children in inline for child in children}
    plain = ["".join(child.content for child in children) for children in inline]
    return [" ".join(text.split()) for text in plain], kinds


def shown(text):
    return " ".join(CONTROL.sub(" ", text).split())


@given(name=ANY_NAME | MARKUP, other=MARKUP)
def test_no_name_is_read_as_markdown_or_html(name, other):
    grid = Table(
        f"t {name}", f"s {other}", ["", name], [[Cell(f"m {other}"), Cell(f"x{name}x")]], [f"{name}: {other}"]
    )
    texts, kinds = read_back(to_markdown([grid]))
    expected = [f"t {name}", f"s {other}", "", name, f"m {other}", f"x{name}x", f"{name}: {other}"]
    assert [text for text in texts if text] == [shown(text) for text in expected if shown(text)]
    assert kinds <= {"text", "text_special"}


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "**a**",
        "<script>alert(1)</script>",
        "![x](http://example.com/x.png)",
        "a\nb",
        "`a`",
        "&lt;",
        "a\\|b",
    ],
)
def test_a_model_with_such_a_name_is_shown_by_it(name):
    texts, kinds = read_back(to_markdown([grid_of(evaluated(name), evaluated("other", score=0.1))]))
    assert shown(name) in texts
    assert kinds <= {"text", "text_special", "strong_open", "strong_close"}


@pytest.mark.parametrize("name", ["@org/team", "https://example.com", "www.example.com", "org/model#12"])
def test_no_name_of_a_model_becomes_a_mention_an_issue_or_a_link(name):
    text = to_markdown([grid_of(evaluated(name), evaluated("other", score=0.1))])
    assert name in read_back(text)[0]
    tokens = MARKDOWN.parse(text)
    texts = [child.content for token in tokens for child in token.children or []]
    assert not [text for text in texts if re.search(r"(?:^|\W)@\w|#\d|://|www\.", text)]


def test_the_best_score_is_bold_in_markdown():
    text = to_markdown([grid_of(evaluated("a", score=0.5), evaluated("b", score=0.7))])
    assert text == (
        "### stsb\n\n"
        "test · 10 examples in 8 clusters · data files (dddddddd)\n\n"
        "|  | a | b |\n"
        "|---|---:|---:|\n"
        "| spearman | 0.5000 [0.250, 0.750] | **0.7000 [0.250, 0.750]** |\n"
    )


def test_a_model_that_failed_on_all_tasks_shows_no_speed_of_an_earlier_run():
    def row(*evaluations):
        table = models_table(boards(evaluations), [replace(SPEED, model="m", fingerprint="a" * 64)])
        return dict(zip(table.header, [cell.text for cell in table.rows[0]], strict=True)), table.remarks

    cells, remarks = row(evaluated("m", error="boom"))
    assert "texts/s" not in cells
    assert not any("speeds:" in remark for remark in remarks)
    cells, remarks = row(evaluated("m"), evaluated("m", "legal", error="boom"))
    assert cells["texts/s"] != "–"
    assert any("speeds:" in remark for remark in remarks)
