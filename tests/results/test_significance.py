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
from harness.results.folder import ResultsFolder
from harness.results.leaderboard import boards
from harness.results.significance import ALONE, PairwiseStats, claims, pairwise_stats
from harness.stats.holm import holm
from harness.stats.pairwise import Parts, pairwise_p

VALUE = mean_metric("value")


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def board(folder="out", tasks=dict):
    results = ResultsFolder(Path(folder))
    (ranked,) = boards(results.evaluations())
    paths = {(one.key, one.predictions): results.predictions_path(one) for one in results.evaluations()}
    return pairwise_stats(ranked, paths, tasks)


def predictions(model, folder="out"):
    (path,) = Path(folder).glob(f"predictions/{model}~*/*.parquet")
    return path


def differ(folder="out", tasks=dict):
    """Which pairs of models differ, and their names."""
    claimed = claims({0: board(folder, tasks)})[0]
    return claimed.stats.models, claimed.differ.tolist()


def p_of(first, second, folder="out"):
    """The p-value by signs of units alone."""
    stats = board(folder)
    (p,) = pairwise_p([Parts(stats.scores, stats.parts)])
    return p[stats.models.index(first), stats.models.index(second)]


def enumerated(differences):
    """The two-sided p-value of a sum among all patterns of signs of its differences."""
    signs = 1 - 2 * ((np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences))) & 1)
    return np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)


def test_a_pair_of_means_has_the_p_value_of_all_its_sign_flips():
    generator = np.random.default_rng(1)
    first, second = generator.normal(0.6, 1, 12), generator.normal(size=12)
    for name, column in (("one", first), ("two", second)):
        answer("out", name, metrics=(VALUE,), value=column)
    expected = enumerated(first - second)
    assert 0.005 < expected < 0.2
    assert p_of("one", "two") == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))


def test_clusters_of_any_size_are_flipped_as_a_whole():
    generator = np.random.default_rng(2)
    sizes = [40, 20, 10, 8, 5, 4, 3, 3, 2, 2, 2, 1]
    clusters = np.repeat(np.arange(12), sizes)
    first, second = (generator.normal(mean, 1, 12)[clusters] for mean in (0.6, 0.0))
    for name, column in (("one", first), ("two", second)):
        answer("out", name, metrics=(VALUE,), value=column, cluster=[f"c{number}" for number in clusters])
    expected = enumerated(np.bincount(clusters, weights=first - second))
    assert 0.005 < expected < 0.9
    assert p_of("one", "two") == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))


def test_p_values_of_several_models_are_near_those_of_corrected_t_tests():
    generator = np.random.default_rng(1)
    common = generator.normal(size=60)
    values = {f"m{index}": common + generator.normal(index * 0.2, 0.5, 60) for index in range(5)}
    for name, column in values.items():
        answer("out", name, metrics=(VALUE,), value=column)
    claimed = claims({0: board()})[0]
    order = claimed.stats.models
    assert order == sorted(values, key=lambda name: -values[name].mean())
    upper = np.triu_indices(5, 1)
    raw = np.array([[ttest_rel(values[one], values[other]).pvalue for other in order] for one in order])[
        upper
    ]
    corrected, own = holm(raw), claimed.p[upper]
    assert (own >= raw * 0.5 - 1e-3).all()
    assert (own <= corrected * 1.2 + 1e-3).all()


def test_all_tasks_together_have_no_smaller_p_values_than_each_alone():
    generator = np.random.default_rng(3)
    for task in ("t1", "t2", "t3"):
        for index in range(4):
            answer("out", f"m{index}", task, metrics=(VALUE,), value=generator.normal(index * 0.2, 1, 50))
    results = ResultsFolder(Path("out"))
    paths = {(one.key, one.predictions): results.predictions_path(one) for one in results.evaluations()}
    stats = {
        position: pairwise_stats(board, paths, dict)
        for position, board in enumerate(boards(results.evaluations()))
    }
    alone, together = claims(stats), claims(stats, "all")
    for position in range(3):
        assert (together[position].p >= alone[position].p - 0.01).all()
    assert sum(together[position].p.sum() for position in range(3)) > sum(
        alone[position].p.sum() for position in range(3)
    )


def test_ranks_are_bounded_by_the_pairs_that_differ():
    for name, share in (("best", 0.95), ("good", 0.94), ("poor", 0.3)):
        answer("out", name, correct=right(share))
    answer("out", "lost", correct=right(0.9))
    predictions("lost").unlink()
    claimed = claims({0: board()})[0]
    # The model without predictions may be anywhere.
    assert claimed.ranks == {"best": (1, 3), "good": (1, 3), "poor": (3, 4)}
    assert sum(claimed.best.values()) == pytest.approx(1)
    assert claimed.best["best"] > claimed.best["good"] > claimed.best["poor"] == 0


def test_rows_that_do_not_count_are_not_tested():
    generator = np.random.default_rng(3)
    counts = np.arange(50) % 2 == 0
    values = {name: generator.normal(size=50) for name in "ab"}
    for name, column in values.items():
        metric = mean_metric("value", where="counts")
        answer("out", name, metrics=(metric,), value=column, counts=counts)
    pairwise = board()
    assert pairwise.influences.shape == (2, 25)
    expected = ttest_rel(values["a"][counts], values["b"][counts]).pvalue
    assert p_of("a", "b") == pytest.approx(expected, abs=0.03)


def test_units_of_models_with_other_rows_that_count_are_not_confused():
    values = np.random.default_rng(4).normal(size=40)
    for name, first in (("a", 0), ("b", 5)):
        counts = (np.arange(40) >= first) & (np.arange(40) < first + 35)
        answer("out", name, metrics=(mean_metric("value", where="counts"),), value=values, counts=counts)
    pairwise = board()
    names = sorted(f"e{row}" for row in range(40))
    shared = [names.index(f"e{row}") for row in range(5, 35)]
    assert pairwise.influences.shape == (2, 40)
    assert np.corrcoef(pairwise.influences[:, shared])[0, 1] == pytest.approx(1)


def test_the_order_in_which_a_model_answered_does_not_matter():
    first, second = right(0.6, 50), right(0.75, 50, seed=1)
    answer("out", "one", correct=first)
    answer("out", "two", correct=second[::-1].copy(), ids=[f"e{row}" for row in reversed(range(50))])
    assert p_of("one", "two") == pytest.approx(ttest_rel(first, second).pvalue, abs=0.04)


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

    _, pairs_differ = differ(tasks=lambda: {"quiz": Quiz})
    assert pairs_differ == [[False, False, True], [False, False, True], [True, True, False]]


def test_models_with_the_same_difference_on_every_example_differ():
    for name, value in (("all", 1.0), ("none", 0.0)):
        answer("out", name, correct=[value] * 20)
    assert differ()[1][0][1]


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
    results = ResultsFolder(Path("out"))
    for one in results.evaluations():
        results.write(replace(one, scores=(replace(one.scores[0], score=0.1),)), None)
    assert "their record says 0.1" in board()


def test_a_score_that_is_undefined_has_no_letters():
    for name in ("one", "two"):
        answer("out", name, metrics=(SPEARMAN,), gold=[1.0] * 20, predicted=np.arange(20.0))
    assert board() == "its score is undefined (the same for 1 more model)"
    answer("out", "three", metrics=(SPEARMAN,), gold=[1.0] * 20, predicted=np.arange(20.0))
    assert board() == "its score is undefined (the same for 2 more models)"
