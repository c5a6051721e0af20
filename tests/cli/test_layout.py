"""Tables at any width: nothing too wide, nothing broken, no two models alike, and no headline missing."""

from __future__ import annotations

import re

import pytest
from conftest import evaluated

from harness.cli.layout import table_lines
from harness.render import number
from harness.results.headlines import headline_table, shows_headlines_alone
from harness.results.leaderboard import boards
from harness.results.records import Score
from harness.results.tables import models_table, task_tables
from harness.table import Cell, Table

METRICS = "recall@10", "recall@1", "ndcg@10", "map@100", "hypothesis_majority_accuracy"
NAMES = "lexical", "minilm", "sentence-transformers/all-MiniLM-L6-v2-{}", "candidates/nda-{}-seed-1-steps-500"


def made(models, tasks):
    """Make the records of models on tasks; every score is its own."""
    return [
        evaluated(
            NAMES[model % len(NAMES)].format(model) + (f"-{model}" if model >= len(NAMES) else ""),
            f"contract-nli-evidence-{task}" if task % 3 else f"task{task}",
            scores=tuple(
                Score(
                    metric=metric,
                    score=(value := 0.1 + (model * 200 + task * 10 + place) / 10_000),
                    low=value - 0.05,
                    high=value + 0.05,
                    examples=100,
                    clusters=100,
                )
                for place, metric in enumerate(METRICS)
            ),
        )
        for model in range(models)
        for task in range(tasks)
    ]


def shown(tables, width):
    """Return the lines of tables."""
    return ["".join(text for text, _ in line) for table in tables for line in table_lines(table, width)]


def tables_of(records, *, details=False):
    ranked = boards(records)
    alone = shows_headlines_alone(ranked, details=details)
    of_tasks = [headline_table(ranked)] if alone else task_tables(ranked, details=details)
    return [models_table(ranked, [], details=details), *of_tasks]


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("tasks", [1, 7, 20])
@pytest.mark.parametrize("models", [1, 3, 6, 20])
def test_a_leaderboard_fits_and_every_headline_is_there(models, tasks, width):
    records = made(models, tasks)
    for details in (False, True) if models * tasks <= 21 else (False,):
        tables = tables_of(records, details=details)
        lines = shown(tables, width)
        assert max(map(len, lines)) <= width
        text = "\n".join(lines)
        # An interval is one piece, with its figure: no bracket is left open on a line.
        assert all(line.count("[") == line.count("]") for line in lines)
        for record in records:
            scores = record.scores if details else record.scores[:1]
            for score in scores:
                assert f"{number(score.score)} [{score.low:.3f}, {score.high:.3f}]" in text
            assert record.examination.task in text
        assert METRICS[0] in text
        models_shown = {record.candidate.model for record in records}
        for word in {word for line in lines for word in line.split() if "…" in word}:
            form = re.compile(".+".join(map(re.escape, word.split("…"))))
            assert len([name for name in models_shown if form.fullmatch(name)]) == 1, word


@pytest.mark.parametrize("width", [80, 100])
def test_names_are_shortened_in_the_middle_and_stay_apart(width):
    names = [
        f"sentence-transformers/candidate-{one:02}-of-the-sweep-over-learning-rates" for one in range(20)
    ]
    lines = shown([headline_table(boards([evaluated(name, score=0.5) for name in names]))], width)
    rows = [line.split()[0] for line in lines if "[0.250, 0.750]" in line]
    assert len({*rows}) == len(rows) == 20
    assert max(map(len, lines)) <= width


def test_more_than_three_models_are_one_table_unless_details_are_asked_for():
    assert [table.title for table in tables_of(made(4, 2))] == ["models", "headline scores"]
    assert [table.title for table in tables_of(made(3, 1))] == ["models", "task0"]
    assert [table.title for table in tables_of(made(4, 1), details=True)] == ["models", "task0"]


def test_the_best_average_rank_is_the_first_row():
    ranked = boards(
        [evaluated(name, score=score) for name, score in zip("abcd", (0.1, 0.4, 0.2, 0.3), strict=True)]
    )
    table = headline_table(ranked, {0: {"b": "a", "a": "b"}})
    assert [row[0].text for row in table.rows] == ["b", "d", "c", "a"]
    assert [row[1].text.split("]")[1] for row in table.rows] == [" a", "", "", " b"]
    assert (table.header, table.units) == (["model", "stsb"], ["", "spearman"])


def test_what_failed_and_what_was_found_is_said_below_the_headlines():
    records = [evaluated(name, error="no file x.csv") for name in "ab"]
    records += [evaluated(name) for name in "cd"] + [evaluated("e", digest="e" * 64)]
    table = headline_table(boards(records))
    assert table.remarks[:2] == [
        "ERROR: a on stsb, b on stsb: no file x.csv",
        "e is not ranked on stsb, it was asked something else: data: dddddddd / eeeeeeee",
    ]
    assert {row[0].text: row[1].text for row in table.rows}["a"] == "ERROR"
    assert {row[0].text: row[1].text for row in table.rows}["e"] == "not ranked"


def test_secondary_metrics_are_left_out_first_and_a_line_says_how_to_see_them():
    lines = shown(tables_of(made(3, 1))[1:], 80)
    assert lines[0].startswith("task0")
    assert "left out at 80 columns: recall@1, ndcg@10, map@100," in lines[-2]
    assert "(--details or COLUMNS=" in lines[-1]
    assert sum("[" in line for line in lines) == 3, "one line for each model"


def test_a_table_that_may_lose_nothing_is_split_and_repeats_its_first_column():
    header = ["task", *(f"column{place}" for place in range(9))]
    table = Table("t", "", header, [[Cell("stsb"), *(Cell("0.1234 [0.100, 0.200]") for _ in range(9))]])
    lines = shown([table], 80)
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith(" stsb ") for line in lines) == 3
    assert {*header} <= {*" ".join(lines).split()}
