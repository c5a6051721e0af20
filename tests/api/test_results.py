"""What a Python user does with results and comparisons: frames, predictions, tables, plots."""

import copy
import gc
import json
import math
import os
import pickle
import sys

import numpy as np
import pandas as pd
import pytest

import harness
from tests.api.models import ROWS, letter_counts

PAIRS = harness.make_task("pairs", "sts", ROWS)


@pytest.fixture(scope="module")
def results():
    return harness.evaluate(
        {"words": "lexical", "short": "lexical,precision=binary"}, ["penal-triplets", PAIRS]
    )


def test_a_frame_has_a_row_for_each_model_task_and_metric_with_its_interval(results):
    frame = results.to_frame()
    assert set(zip(frame.model, frame.task, frame.metric, strict=True)) == {
        (model, task, metric)
        for model in ("words", "short")
        for task, metrics in (
            ("pairs", ("spearman", "pearson")),
            ("penal-triplets", ("accuracy", "mean_margin")),
        )
        for metric in metrics
    }
    assert (frame.low <= frame.score).all()
    assert (frame.score <= frame.high).all()
    row = frame.query("model == 'words' and task == 'pairs' and metric == 'pearson'").iloc[0]
    assert row.score == results["words", "pairs"].scores["pearson"].score


def test_an_undefined_score_is_nan_in_a_frame():
    class Constant:
        def encode(self, texts):
            return np.ones((len(texts), 2)) + 1e-9 * np.array([[len(text), 0] for text in texts])

    failed = harness.evaluate({"m": "lexical", "c": Constant()}, PAIRS, keep_going=True)
    assert math.isnan(failed.to_frame().query("model == 'c'").score.iloc[0])
    assert math.isnan(failed.leaderboard().loc["c", "pairs"])


def test_predictions_have_a_row_for_each_example_with_texts_gold_and_answers(results):
    frame = results["words", "pairs"].predictions
    assert list(frame.columns[:2]) == ["id", "cluster"]
    assert frame.text1.tolist() == ROWS["text1"]
    assert frame.gold.tolist() == ROWS["score"]
    assert frame.gold.corr(frame.predicted) == pytest.approx(
        results["words", "pairs"].scores["pearson"].score
    )


def test_the_leaderboard_has_headline_scores_of_models_by_tasks(results):
    board = results.leaderboard()
    assert board.shape == (2, 2)
    assert board.loc["words", "penal-triplets"] == results["words", "penal-triplets"].headline.score


def test_a_missing_result_is_a_key_error_and_an_error_that_helps(results):
    assert ("words", "pears") not in results
    assert results.get(("words", "pears")) is None
    with pytest.raises(harness.HarnessError, match="did you mean: pairs"):
        results["words", "pears"]
    with pytest.raises(KeyError, match="no model 'word'"):
        results["word", "pairs"]
    with pytest.raises(harness.HarnessError, match="not a model and a task"):
        results["words"]


def test_results_compare_their_own_models(results):
    found = results.compare("words", "short", margin=0.9)
    assert [line.task for line in found.lines] == ["pairs", "penal-triplets"]
    assert found.exit_code in (0, 1, 4)
    assert found.passed is (found.exit_code == 0)
    line = found.lines[1]
    assert line.gain == pytest.approx(
        results["short", "penal-triplets"].headline.score - results["words", "penal-triplets"].headline.score
    )
    with pytest.raises(harness.HarnessError, match="did you mean: short"):
        results.compare("words", "shirt")


def test_a_comparison_is_that_of_the_command_line(results, tmp_path, capsys, monkeypatch):
    from harness.cli import main

    out = tmp_path / "out"
    results.save(out)
    words = ["compare", out, "--baseline", "words", "--margin", "0.05", "--format", "json"]
    monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    found = harness.compare(out, baseline="words", margin=0.05)
    assert json.loads(found.to_json()) == json.loads(capsys.readouterr().out)
    assert found.exit_code == (ended.value.code or 0)
    in_memory = results.compare("words", margin=0.05)
    assert [line.p for line in in_memory.lines] == [line.p for line in found.lines]
    assert "memory" in in_memory.to_json()


def test_a_frame_of_a_comparison_has_gains_intervals_and_verdicts(results):
    frame = results.compare("words", "short").to_frame()
    assert list(frame.candidate_model) == ["short", "short"]
    assert frame.gain.tolist() == [line.gain for line in results.compare("words", "short").lines]
    assert {"low", "high", "p", "p_adjusted", "verdict", "level"} <= set(frame.columns)


def test_comparisons_are_written_as_markdown_csv_and_junit(results):
    found = results.compare("words", "short", margin=0.01)
    assert "| pairs" in found.to_markdown()
    assert found.to_csv().startswith("baseline_model,")
    assert "<testsuite" in found.to_junit()


def test_selection_from_python_says_which_won(results):
    more = harness.evaluate(
        {
            name: lambda texts, n=n: letter_counts(texts)[:, :n]
            for name, n in (("a", 3), ("b", 10), ("c", 26))
        },
        "penal-triplets",
    )
    found = more.compare("a", select="best")
    assert found.selection.winner in ("b", "c")


def test_results_folders_are_read_as_they_were_written(tmp_path):
    written = harness.evaluate("lexical", PAIRS, out=tmp_path / "out")
    read = harness.read_results(tmp_path / "out")
    pd.testing.assert_frame_equal(written.to_frame(), read.to_frame())
    with pytest.raises(harness.HarnessError, match="no results folder"):
        harness.read_results(tmp_path / "none")


def test_a_task_on_several_sets_of_rows_has_a_key_for_each(tmp_path):
    harness.evaluate("lexical", "stsb", out=tmp_path / "out", limit=5)
    harness.evaluate("lexical", "stsb", out=tmp_path / "out")
    read = harness.read_results(tmp_path / "out")
    assert sorted(task for _, task in read) == ["stsb@sample", "stsb@sample@limit5"]


def test_saving_writes_a_folder_that_holds(results, tmp_path):
    results.save(tmp_path / "kept")
    assert list(harness.read_results(tmp_path / "kept")) == sorted(results, key=lambda key: (key[1], key[0]))
    with pytest.raises(harness.HarnessError, match="exists already"):
        results.save(tmp_path / "kept")


def test_results_compare_and_save_themselves_and_not_what_else_is_in_their_folder(tmp_path):
    other = harness.make_task("other", "sts", ROWS)
    models = {"a": "lexical", "b": "lexical,precision=binary"}
    harness.evaluate(models, [PAIRS, other], out=tmp_path / "out")
    harness.evaluate({"b": letter_counts}, PAIRS, out=tmp_path / "out")
    results = harness.evaluate(models, PAIRS, out=tmp_path / "out")
    assert results.tasks == ["pairs"]
    assert [line.task for line in results.compare("a", "b").lines] == ["pairs"]
    results.save(tmp_path / "kept")
    assert list(harness.read_results(tmp_path / "kept")) == [("a", "pairs"), ("b", "pairs")]


def test_a_copy_outlives_what_it_was_copied_from_and_a_pickle_is_refused():
    results = harness.evaluate("lexical", PAIRS)
    copied = copy.deepcopy(results)
    with pytest.raises(harness.HarnessError, match="cannot be pickled"):
        pickle.dumps(results)
    del results
    assert len(copied["lexical", "pairs"].predictions) == len(ROWS["score"])


def test_a_forked_process_leaves_the_folder_to_its_parent():
    results = harness.evaluate("lexical", PAIRS)
    child = os.fork()
    if child == 0:
        del results
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(results["lexical", "pairs"].predictions) == len(ROWS["score"])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"margin": "x"}, "margin must be a number, not 'x'"), ({"margn": 0.1}, "did you mean: margin")],
)
def test_options_of_a_comparison_that_are_not_right_are_said(results, options, message):
    with pytest.raises(harness.HarnessError, match=message):
        results.compare("words", "short", **options)


def test_tables_for_notebooks_escape_names(tmp_path):
    results = harness.evaluate({"<b>": "lexical"}, PAIRS)
    assert "&lt;b&gt;" in results._repr_html_()
    assert "<b>" not in results._repr_html_()
    assert (
        "&lt;b&gt;"
        in harness.evaluate({"a": "lexical", "<b>": "lexical,precision=binary"}, PAIRS)
        .compare("a", "<b>")
        ._repr_html_()
    )


def test_repr_says_what_there_is(results):
    assert "words · pairs: spearman" in repr(results)
    assert repr(results["words", "pairs"]).startswith("<Result of words on pairs: spearman")
    assert "exit code" in repr(results.compare("words", "short"))


@pytest.fixture
def no_window(monkeypatch):
    pytest.importorskip("matplotlib")
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    yield plt
    plt.close("all")


def test_intervals_are_drawn_for_each_model_and_task(results, no_window):
    axes = results.plot()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [
        f"{task} · {model}" for task in ("pairs", "penal-triplets") for model in ("words", "short")
    ]
    first = axes.lines[0].get_xdata()
    score = results["words", "pairs"].headline
    assert list(first) == [score.low, score.high]


def test_gains_are_drawn_with_their_intervals_and_verdicts(results, no_window):
    found = results.compare("words", "short", margin=0.1)
    axes = found.plot()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"short · {line.task} · {line.metric}: {line.verdict}" for line in found.lines]
    assert found.plot("scatter").get_ylabel() == "candidate"


def test_examples_are_drawn_by_what_their_task_answers(results, no_window):
    assert results["words", "pairs"].plot().get_xlabel() == "gold"
    assert results["words", "penal-triplets"].plot().get_xlabel() == "margin"


def test_a_plot_without_its_data_says_what_to_do(results, no_window):
    with pytest.raises(harness.HarnessError, match="throughput=True"):
        results.plot("speed")
    with pytest.raises(harness.HarnessError, match="no plot of results named 'pie'"):
        results.plot("pie")


def test_quality_is_drawn_against_measured_speed(no_window):
    timed = harness.evaluate("lexical", PAIRS, throughput=True)
    assert timed.plot("speed").get_xlabel() == "texts/s"
