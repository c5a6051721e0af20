"""Pairwise tests of the models of a board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from comparison.made import CORRECT, SPEARMAN, answer, pairs, right
from scipy.stats import ttest_rel

from harness.metrics.interface import Metric
from harness.metrics.standard import mean_metric, spearman
from harness.results.folder import Results
from harness.results.leaderboard import boards
from harness.results.significance import ALONE, PairwiseStats, pairwise_stats
from harness.stats.holm import holm

pytestmark = pytest.mark.kernels

VALUE = mean_metric("value")


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def board(folder="out", tasks=dict):
    results = Results(Path(folder))
    (ranked,) = boards(results.evaluations())
    paths = {(one.key, one.predictions): results.predictions_path(one) for one in results.evaluations()}
    return pairwise_stats(ranked, paths, tasks)


def predictions(model, folder="out"):
    (path,) = Path(folder).glob(f"predictions/{model}~*/*.parquet")
    return path


def test_p_values_of_means_are_those_of_the_paired_t_test():
    generator = np.random.default_rng(1)
    common = generator.normal(size=60)
    values = {f"m{index}": common + generator.normal(index * 0.2, 0.5, 60) for index in range(5)}
    for name, column in values.items():
        answer("out", name, metrics=(VALUE,), value=column)
    pairwise = board()
    assert pairwise.models == sorted(values, key=lambda name: -values[name].mean())
    expected = [[ttest_rel(values[one], values[other]).pvalue for other in values] for one in values]
    order = [pairwise.models.index(name) for name in values]
    upper = np.triu_indices(5, 1)
    assert pairwise.p_values()[np.ix_(order, order)][upper] == pytest.approx(np.array(expected)[upper])
    corrected = holm(np.array(expected)[upper])
    assert pairwise.differ()[np.ix_(order, order)][upper].tolist() == [p < 0.05 for p in corrected]


def test_clusters_of_one_size_are_tested_as_their_means():
    generator = np.random.default_rng(2)
    clusters = [f"c{row // 5}" for row in range(100)]
    values = {name: generator.normal(size=20).repeat(5) + generator.normal(size=100) for name in "ab"}
    for name, column in values.items():
        answer("out", name, metrics=(VALUE,), value=column, cluster=clusters)
    expected = ttest_rel(*(values[name].reshape(20, 5).mean(axis=1) for name in "ab")).pvalue
    assert board().p_values()[0, 1] == pytest.approx(expected)


def test_rows_that_do_not_count_are_not_tested():
    generator = np.random.default_rng(3)
    counts = np.arange(50) % 2 == 0
    values = {name: generator.normal(size=50) for name in "ab"}
    for name, column in values.items():
        metric = mean_metric("value", where="counts")
        answer("out", name, metrics=(metric,), value=column, counts=counts)
    pairwise = board()
    assert pairwise.influences.shape == (2, 25)
    assert pairwise.p_values()[0, 1] == pytest.approx(
        ttest_rel(values["a"][counts], values["b"][counts]).pvalue
    )


def test_units_of_models_with_other_rows_that_count_are_not_confused():
    values = np.random.default_rng(4).normal(size=40)
    for name, first in (("a", 0), ("b", 5)):
        counts = (np.arange(40) >= first) & (np.arange(40) < first + 35)
        answer("out", name, metrics=(mean_metric("value", where="counts"),), value=values, counts=counts)
    pairwise = board()
    shared = slice(5, 35)
    assert pairwise.influences.shape == (2, 40)
    assert np.corrcoef(pairwise.influences[:, shared])[0, 1] == pytest.approx(1)


def test_the_order_in_which_a_model_answered_does_not_matter():
    first, second = right(0.6, 50), right(0.9, 50, seed=1)
    answer("out", "one", correct=first)
    answer("out", "two", correct=second[::-1].copy(), ids=[f"e{row}" for row in reversed(range(50))])
    assert board().p_values()[0, 1] == pytest.approx(ttest_rel(first, second).pvalue)


@pytest.mark.parametrize(
    # Ours has a derivative; for a third-party one, examples are left out in turn.
    "metric",
    [SPEARMAN, Metric("own", lambda *columns: spearman(*columns))],  # noqa: PLW0108
)
def test_models_that_answer_alike_do_not_differ(metric):
    metric = replace(metric, columns=("gold", "predicted"))
    for name in ("one", "two"):
        answer("out", name, metrics=(metric,), **pairs(1.0))
    answer("out", "far", metrics=(metric,), **pairs(9.0))

    class Quiz:
        metrics = (metric,)

    pairwise = board(tasks=lambda: {"quiz": Quiz})
    assert pairwise.differ().tolist() == [[False, False, True], [False, False, True], [True, True, False]]


def test_models_with_the_same_difference_on_every_example_differ():
    for name, value in (("all", 1.0), ("none", 0.0)):
        answer("out", name, correct=[value] * 20)
    assert board().differ()[0, 1]


def test_one_model_alone_has_no_letters():
    answer("out", "one", correct=right(0.7))
    assert board() == ALONE


def test_few_units_have_no_letters():
    for name in ("one", "two"):
        answer("few", name, metrics=(CORRECT,), correct=[1.0] * 9)
    assert board("few") == "fewer than 10 independent units"


def test_a_metric_without_a_plugin_is_named():
    unknown = Metric("bleu", lambda gold, predicted: 0.5)
    for name in ("one", "two"):
        answer("out", name, metrics=(replace(unknown, columns=("gold", "predicted")),), **pairs(1.0))
    assert board() == "no plugin brings the metric bleu of quiz"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param(lambda path: path.unlink(), "are missing", id="no file"),
        pytest.param(lambda path: path.write_bytes(b"PAR1"), "cannot be read", id="no parquet"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-30]), "cannot be read", id="cut"),
        pytest.param(
            lambda path: path.write_bytes(predictions("two").read_bytes()), "of another run", id="another's"
        ),
    ],
)
def test_a_model_without_its_predictions_is_left_out_and_the_others_are_not(broken, reason):
    for seed, name in enumerate(("one", "two", "three")):
        answer("out", name, correct=right(0.5 + seed / 10, seed=seed))
    broken(predictions("one"))
    pairwise = board()
    assert pairwise.models == ["three", "two"]
    assert list(pairwise.left_out) == ["one"]
    assert reason in pairwise.left_out["one"]
    predictions("two").unlink()
    assert "are missing" in board() or "another run" in board() or "cannot be read" in board()
    assert isinstance(pairwise, PairwiseStats)


def test_predictions_that_do_not_give_the_score_of_their_record_have_no_letters():
    for name in ("one", "two"):
        answer("out", name, correct=right(0.7))
    results = Results(Path("out"))
    for one in results.evaluations():
        results.write(replace(one, scores=(replace(one.scores[0], score=0.1),)), None)
    assert "their record says 0.1" in board()


def test_a_score_that_is_undefined_has_no_letters():
    for name in ("one", "two"):
        answer("out", name, metrics=(SPEARMAN,), gold=[1.0] * 20, predicted=np.arange(20.0))
    answer("out", "three", metrics=(SPEARMAN,), gold=[1.0] * 20, predicted=np.arange(20.0))
    assert board() == "its score is undefined (the same for 2 more models)"
