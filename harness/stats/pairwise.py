"""Which of several models differ: sign flips of whole units, for all pairs of models of a family at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from harness.metrics import standard as metrics
from harness.stats.flip_curves import FEW_COINS, FlipCurves, moments
from harness.stats.step_down import Draws, step_down

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.stats.answer_pair import Answers

_SEED = 17

_FEWEST_DRAWS, _MOST_DRAWS = 999, 9_999
"""Patterns of signs; at 5 % the standard errors of their shares are 0.7 and 0.2 %."""

_MOST_CELLS = 500_000_000
"""Pairs × patterns beyond which fewer than _MOST_DRAWS are drawn: 300 models."""

_BLOCK_CELLS = 8_000_000
"""Maximum number of signs, or of models' sums, held at once, 4 bytes each."""

_BLOCK_DRAWS = 1_000
"""Maximum number of patterns at once: statistics of dozens of pairs then fit into the processor's cache."""

_SAME = 1e-12
"""Maximum share of a sum of squares that is rounding alone: both models have equal parts in every unit."""

_CELLS = 64
"""Number of steps of a pair's curve."""

_TOLERANCE = 1e-5
"""Relative difference of single-precision statistics that are equal."""


class Parts(NamedTuple):
    """Scores of models on one sample, and the part of each unit in them."""

    scores: np.ndarray
    """(models,)."""
    parts: np.ndarray
    """(models, units): influence of a unit on the score, plus the score times its share (`unit_shares`).

    The differences of two models by unit are then what the unit says of their gain; where there is none, they
    vary around zero.
    """


def unit_shares(answers: Answers) -> np.ndarray:
    """Return for which share of the score each unit stands: (units,).

    Examples stand for equal shares; by ROC-AUC and average precision, for a share of their class, since both
    the positives and the negatives have the whole score as their mean.
    """
    if answers.metric.compute in (metrics.roc_auc, metrics.average_precision):
        positive = np.asarray(answers.columns[0], dtype=float)
        return answers.by_unit(positive / positive.sum() + (1 - positive) / (1 - positive).sum())
    return np.asarray(answers.sizes / len(answers.units))


def pairwise_p(samples: Sequence[Parts]) -> list[np.ndarray]:
    """Return the adjusted p-value of each pair of models of each sample: (models, models), 1 on the diagonal.

    All pairs of all samples are one family: where no two models differ, any p-value is below 5 % with a
    probability of 5 %. The statistic of a pair is the gain over √Σd², with the differences d of their parts;
    where few units have most of Σd², the normal deviate of its tail under random signs, by a saddlepoint
    (min-P): a pair with one large unit could else never be as far apart as chance sets others. The signs of
    whole units are flipped at random for all pairs at once, in each sample on its own. For one pair and a
    mean this is exact where differences are symmetric about zero, whatever their tails and however unequal
    the units. Step-down goes on from the largest.
    Sources: Westfall and Young (1993), "Resampling-based multiple testing"; Canay, Romano and Shaikh (2017),
    "Randomization tests under an approximate symmetry assumption"; Romano and Wolf (2005), "Exact and
    approximate stepdown methods for multiple hypothesis testing".
    """
    pairs = _Pairs.of([sample.parts for sample in samples])
    observed = pairs.statistics(np.concatenate([sample.scores for sample in samples])[:, None])[:, 0]
    adjusted = step_down(observed, _flipped([sample.parts for sample in samples], pairs), _TOLERANCE)
    matrices, start = [], 0
    for sample in samples:
        matrix = np.ones((len(sample.parts), len(sample.parts)))
        pair = np.triu_indices(len(sample.parts), 1)
        matrix[pair] = adjusted[start : start + len(pair[0])]
        start += len(pair[0])
        matrices.append(np.minimum(matrix, matrix.T))
    return matrices


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """All pairs of models within samples: positions of both among the models of all, (pairs,) each."""

    first: np.ndarray
    second: np.ndarray
    lengths: np.ndarray
    """√Σd² of each pair, which no flip moves: (pairs, 1); infinite where all differences are zero."""
    places: np.ndarray
    """(pairs,): row of a pair in `curves`; −1 where many units move it, and its statistic is normal."""
    largest: np.ndarray
    """(rows, 1): largest value of |Σd| / √Σd²."""
    curves: np.ndarray
    """(rows, _CELLS + 1): normal deviates of |Σd| / √Σd² at even steps from 0 to the largest value."""

    @classmethod
    def of(cls, parts: Sequence[np.ndarray]) -> _Pairs:
        """Return the pairs of all samples; parts: (models, units) of each."""
        found, models, rows = [], 0, 0
        for own in parts:
            first, second = np.triu_indices(len(own), 1)
            lengths, few = _lengths(own, first, second)
            places = np.where(few, np.cumsum(few) - 1 + rows, -1)
            found.append(
                (first + models, second + models, lengths, places, *_curves(own, first[few], second[few]))
            )
            models, rows = models + len(own), rows + int(few.sum())
        return cls(*map(np.concatenate, zip(*found, strict=True)))

    def single(self) -> _Pairs:
        """Return the same with lengths of single precision."""
        return replace(self, lengths=self.lengths.astype(np.float32), largest=self.largest.astype(np.float32))

    def statistics(self, sums: np.ndarray, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the statistics of the chosen pairs, (k, b), from the sums of all models, (models, b)."""
        statistic = sums[self.first[chosen]]
        statistic -= sums[self.second[chosen]]
        np.abs(statistic, out=statistic)
        statistic /= self.lengths[chosen]
        places = self.places[chosen]
        few = places >= 0
        if few.all():
            return self._deviates(statistic, places)
        if few.any():
            statistic[few] = self._deviates(statistic[few], places[few])
        return np.asarray(statistic)

    def _deviates(self, statistic: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the normal deviates of statistics of pairs with curves: (k, b); places: (k,)."""
        steps = statistic * (_CELLS / self.largest[places])
        cells = np.minimum(steps.astype(np.int32), _CELLS - 1)
        steps -= cells
        cells += (places * (_CELLS + 1)).astype(np.int32)[:, None]
        curves = self.curves.ravel()
        low = curves.take(cells)
        cells += 1
        return np.asarray(low + np.minimum(steps, 1) * (curves.take(cells) - low), dtype=statistic.dtype)


def _lengths(parts: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return √Σd² of pairs, (pairs, 1), and which of them few units move."""
    gram = parts @ parts.T
    own = np.diag(gram)[first] + np.diag(gram)[second]
    squares = own - 2 * gram[first, second]
    moved = squares > _SAME * own
    fourth = moments(parts.T)[1][first, second]
    few = moved & (squares**2 < FEW_COINS * fourth)
    return np.sqrt(np.where(moved, squares, np.inf))[:, None], few


def _curves(parts: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest statistic of each pair, (pairs, 1), and its curve, (pairs, _CELLS + 1)."""
    largest, curves = np.empty((len(first), 1)), np.empty((len(first), _CELLS + 1), dtype=np.float32)
    step = max(1, _BLOCK_CELLS // parts.shape[1])
    for start in range(0, len(first), step):
        block = slice(start, start + step)
        own = FlipCurves.of(parts[first[block]] - parts[second[block]])
        largest[block, 0], curves[block] = own.shifts[:, -1], own.evenly(_CELLS)
    return largest, curves


def _flipped(parts: Sequence[np.ndarray], pairs: _Pairs) -> Iterator[Draws]:
    """Yield statistics of all pairs under random signs of units."""
    generator, in_single = np.random.default_rng(_SEED), pairs.single()
    single = [own.astype(np.float32) for own in parts]
    widest = max(sum(map(len, parts)), *(own.shape[1] for own in parts))
    draws = min(_MOST_DRAWS, max(_FEWEST_DRAWS, _MOST_CELLS // max(1, len(pairs.first))))
    block = max(1, min(draws, _BLOCK_CELLS // widest, _BLOCK_DRAWS))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        sums = np.concatenate([own @ _signs(generator, own.shape[1], size) for own in single])
        yield Draws(size, partial(in_single.statistics, sums))


def _signs(generator: np.random.Generator, units: int, count: int) -> np.ndarray:
    """Return random signs: (units, count) float32."""
    coins = np.frombuffer(generator.bytes(units * -(-count // 8)), dtype=np.uint8).reshape(units, -1)
    return np.asarray(np.unpackbits(coins, axis=1, count=count).astype(np.float32) * 2 - 1)
