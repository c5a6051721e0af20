"""All models of a board against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compare.made import CORRECT, SPEARMAN, answer, pairs, right
from scipy.stats import ttest_rel

from harness.leaderboard import boards
from harness.metrics import mean_metric
from harness.paired.claims import holm
from harness.results import Results
from harness.standing.pairwise import Standings, rejected, standings


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def board(folder="out"):
    results = Results(Path(folder))
    (found,) = boards(results.evaluations())
    paths = {(one.key, one.predictions): results.predictions_path(one) for one in results.evaluations()}
    return standings(found, paths, {})


def test_holm_rejects_what_corrected_p_values_say():
    values = np.random.default_rng(0).uniform(0, 0.02, 30)
    assert rejected(values).tolist() == [one < 0.05 for one in holm(values.tolist())]


def test_pairs_of_means_are_told_apart_by_the_paired_t_test():
    metric = mean_metric("value")
    generator = np.random.default_rng(1)
    common = generator.normal(size=60)
    values = {f"m{place}": common + generator.normal(place * 0.2, 0.5, 60) for place in range(5)}
    for name, column in values.items():
        answer("out", name, metrics=(metric,), value=column)
    found = board()
    assert found.models == sorted(values, key=lambda name: -values[name].mean())
    names = [(one, other) for place, one in enumerate(found.models) for other in found.models[place + 1 :]]
    corrected = holm([ttest_rel(values[one], values[other]).pvalue for one, other in names])
    differ = found.differ()
    for (one, other), p in zip(names, corrected, strict=True):
        assert differ[found.models.index(one), found.models.index(other)] == (p < 0.05)


def test_models_that_answer_alike_do_not_differ():
    for name in ("one", "two"):
        answer("out", name, metrics=(SPEARMAN,), **pairs(1.0))
    assert not board().differ().any()


def test_correlations_are_told_apart_too():
    for name, noise in (("good", 0.3), ("bad", 3.0)):
        answer("out", name, metrics=(SPEARMAN,), **pairs(noise))
    assert board().models == ["good", "bad"]
    assert board().differ()[0, 1]


def test_there_are_no_letters_without_predictions_or_units():
    answer("out", "one", correct=right(0.7))
    assert board() == "one model only"
    answer("out", "two", correct=right(0.7))
    assert isinstance(board(), Standings)
    (path,) = Path("out").glob("predictions/two*/quiz.parquet")
    path.write_bytes(b"PAR1")
    assert "cannot be read" in board()
    for name in ("one", "two"):
        answer("few", name, metrics=(CORRECT,), correct=[1.0] * 9)
    assert board("few") == "fewer than 10 independent units"
