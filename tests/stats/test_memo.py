"""What is computed once for many candidates of one baseline."""

from __future__ import annotations

import numpy as np

from harness.metrics.standard import SPEARMAN
from harness.stats import memo
from harness.stats.answer_pair import AnswerPair
from harness.stats.gain import gain_of
from harness.stats.memo import Memo


def fixed(*columns):
    for column in columns:
        column.setflags(write=False)
    return columns


def columns():
    generator = np.random.default_rng(0)
    gold = generator.normal(size=60)
    return gold, *(gold + generator.normal(size=60) for _ in range(3)), np.arange(60) // 2


def test_candidates_of_one_baseline_share_its_answers_where_its_columns_cannot_be_changed():
    gold, base, *sides, clusters = fixed(*columns())
    pairs = [AnswerPair.of(SPEARMAN, ([gold, base], None), ([gold, side], None), clusters) for side in sides]
    assert pairs[0].baseline is pairs[1].baseline
    plain = [column.copy() for column in (gold, base, clusters)]
    alone = [AnswerPair.of(SPEARMAN, (plain[:2], None), ([gold, side], None), plain[2]) for side in sides]
    assert alone[0].baseline is not alone[1].baseline
    for pair, other in zip(pairs, alone, strict=True):
        np.testing.assert_array_equal(gain_of(pair).influence, gain_of(other).influence)
        assert gain_of(pair) == gain_of(other)


def test_columns_that_were_changed_are_computed_again():
    gold, base, side, _, clusters = columns()
    before = gain_of(AnswerPair.of(SPEARMAN, ([gold, base], None), ([gold, side], None), clusters))
    base[:] = side
    after = gain_of(AnswerPair.of(SPEARMAN, ([gold, base], None), ([gold, side], None), clusters))
    assert before.value != 0
    assert after.value == 0


def test_other_clusters_make_other_answers():
    gold, base, side, _, clusters = fixed(*columns())
    pairs = [
        AnswerPair.of(SPEARMAN, ([gold, base], None), ([gold, side], None), units)
        for units in (clusters, *fixed(np.arange(60)))
    ]
    assert [pair.baseline.count for pair in pairs] == [30, 60]


def test_what_was_used_longest_ago_is_dropped(monkeypatch):
    monkeypatch.setattr(memo, "_MOST_CELLS", 20)
    known, calls = Memo(), []
    arrays = fixed(*(np.zeros(8) for _ in range(3)))
    for place in (0, 1, 0, 2, 0, 1):
        known.of([arrays[place]], None, lambda place=place: calls.append(place))
    assert calls == [0, 1, 2, 1]
