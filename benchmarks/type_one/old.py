"""Type I error of `harness compare`: how often do its tests claim a difference where there is none?

Each family draws two models' answers of equal true score, many times over, and calls `gain_of`, as `harness
compare` does: nominal 5 % should claim a difference in 5 % of the cases. With a true difference it counts how
often the interval covers it, and how often the test finds it, next to a z-test that knows the true spread
(the paired ideal). Other tests that misfire are measured too.

    python -m benchmarks.type_one --out benchmarks/results/type_one.json
    python -m benchmarks.type_one --repetitions 200 --sizes 100 --families accuracy
    python -m benchmarks.type_one --real results/base results/candidate --repetitions 1000

`--real` takes the predictions of two real models instead, and swaps them in half of the clusters, at random:
then neither is better, by construction.
"""

from __future__ import annotations

import argparse
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from harness.comparison.sources import read_results
from harness.metrics.standard import PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.plugins.loader import load_plugins
from harness.results.folder import encode
from harness.results.prediction_files import read_table
from harness.results.predictions import metric_of, pair_tables
from harness.stats import gain
from harness.stats.paired import Paired
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.metrics.interface import Metric

VALUE = mean_metric("value")
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two models' answers to the same examples."""

    columns: tuple[list[np.ndarray], list[np.ndarray]]
    clusters: np.ndarray


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of data, its metric, and other tests for it."""

    metric: Metric
    draw: Callable[[np.random.Generator, int, float], Drawn]
    effect: float
    """Argument of `draw` for a true difference; 0 gives none."""
    rivals: dict[str, Callable[[Drawn], float]]
    """Name → p-value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Results of one family at one size."""

    family: str
    examples: int
    test: str
    repetitions: int
    type_one: float
    coverage_of_none: float
    coverage: float
    """Of the true gain, where there is one."""
    true_gain: float
    power: float
    ideal_power: float
    rivals: dict[str, float]
    """Type I error of each."""


# --- data -------------------------------------------------------------------------------------------------


def sts(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Ratings from 0 to 5 in steps; bounded similarities, whose heavy-tailed errors models share in part."""
    meaning = generator.normal(size=n)
    gold = np.clip(np.round((2.6 + 1.6 * meaning) * 5) / 5, 0, 5)
    shared = generator.standard_t(4, size=n) * 0.35
    hard = 0.4 + 0.5 * (np.abs(meaning) < 1)
    predicted = [
        np.tanh(0.45 * meaning + (shared + generator.standard_t(4, size=n) * 0.5 * hard) * 0.6 * (1 + more))
        for more in (0.0, effect)
    ]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), np.arange(n))


def sts_clustered(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """The same where pairs share sentences, four each on average, on which a model errs alike."""
    clusters = np.sort(generator.integers(max(n // 4, 12), size=n))
    meaning = generator.normal(size=n)
    gold = np.clip(2.6 + 1.6 * meaning, 0, 5)
    predicted = [
        np.tanh(0.45 * meaning + (generator.normal(size=clusters.max() + 1)[clusters] * 0.2) * (1 + more)
                + generator.normal(size=n) * 0.2 * (1 + more))
        for more in (0.0, effect)
    ]  # fmt: skip
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), clusters)


def accuracy(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Right or wrong, on its own; 12 % of the answers differ between the models."""
    right = (generator.random(n) < 0.75).astype(float)
    differs = generator.random(n) < 0.12
    gained = generator.random(n) < 0.5 + effect
    base = np.where(differs, ~gained, right).astype(float)
    return Drawn(([base], [np.where(differs, gained, right).astype(float)]), np.arange(n))


def clustered_accuracy(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """17 questions of each document, on which one model may be better as a whole (standard deviation 0.6)."""
    documents = max(n // 17, 12)
    clusters = np.arange(n) % documents
    level = generator.normal(size=documents)[clusters] + 0.8
    lean = generator.normal(size=documents)[clusters] * 0.6 + effect
    logits = [level - lean / 2, level + lean / 2]
    sides = [(generator.random(n) < 1 / (1 + np.exp(-logit))).astype(float) for logit in logits]
    return Drawn(([sides[0]], [sides[1]]), clusters)


def recall(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Recall of queries: most of them alike in both models, some gained and some lost by quarters."""
    base = generator.choice([0.0, 0.5, 1.0], p=[0.3, 0.3, 0.4], size=n)
    moved = generator.random(n) < 0.2
    up = np.where(generator.random(n) < 0.5 + effect, 1, -1)
    step = up * generator.choice([0.25, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=n)
    return Drawn(([base], [base + np.where(moved, step, 0.0)]), np.arange(n))


def ndcg(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Continuous values of queries, half of them alike, the others apart by a skewed amount."""
    base = generator.beta(2, 1, size=n)
    moved = (generator.gamma(1.0, 0.25, size=n) - 0.25 + effect) * (generator.random(n) < 0.5)
    return Drawn(([base], [base + moved]), np.arange(n))


def area(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """A third positives, and scores whose errors models share in part."""
    gold = (generator.random(n) < 1 / 3).astype(int)
    shared = generator.normal(size=n) * 0.7
    predicted = [gold * (1 + more) + shared + generator.normal(size=n) * 0.7 for more in (0.0, effect)]
    return Drawn(([gold, predicted[0]], [gold, predicted[1]]), np.arange(n))


# --- rivals -----------------------------------------------------------------------------------------------


def williams(drawn: Drawn) -> float:
    """Williams' t for two Pearson correlations that share a variable (Steiger, 1980)."""
    (gold, left), (_, right) = drawn.columns
    return _williams(gold, left, right)


def williams_of_ranks(drawn: Drawn) -> float:
    """The same of ranks."""
    (gold, left), (_, right) = drawn.columns
    return _williams(*(stats.rankdata(values) for values in (gold, left, right)))


def _williams(gold: np.ndarray, left: np.ndarray, right: np.ndarray) -> float:
    a, b, c = (np.corrcoef(x, y)[0, 1] for x, y in ((gold, left), (gold, right), (left, right)))
    n = len(gold)
    determinant = 1 - a * a - b * b - c * c + 2 * a * b * c
    middle = (a + b) / 2
    below = 2 * determinant * (n - 1) / (n - 3) + middle**2 * (1 - c) ** 3
    return float(2 * stats.t.sf(abs((a - b) * np.sqrt((n - 1) * (1 + c) / below)), n - 3))


def unpaired_z(drawn: Drawn) -> float:
    """Fisher's z as if two sets of examples had been drawn."""
    (gold, left), (_, right) = drawn.columns
    a, b = (np.arctanh(np.corrcoef(gold, values)[0, 1]) for values in (left, right))
    return float(2 * stats.norm.sf(abs(a - b) / np.sqrt(2 / (len(gold) - 3))))


def mcnemar_over_items(drawn: Drawn) -> float:
    """McNemar's mid-p, as if items of one document had been drawn apart."""
    difference = drawn.columns[1][0] - drawn.columns[0][0]
    return gain.mcnemar(int((difference > 0).sum()), int((difference < 0).sum()))


FAMILIES = {
    "sts, Spearman": Family(
        SPEARMAN, sts, 0.25, {"Williams of ranks": williams_of_ranks, "unpaired Fisher z": unpaired_z}
    ),
    "sts, Pearson": Family(PEARSON, sts, 0.25, {"Williams": williams, "unpaired Fisher z": unpaired_z}),
    "sts in clusters, Spearman": Family(
        SPEARMAN, sts_clustered, 0.3, {"Williams of ranks": williams_of_ranks}
    ),
    "accuracy": Family(VALUE, accuracy, 0.2, {}),
    "accuracy in clusters": Family(
        VALUE, clustered_accuracy, 0.3, {"McNemar over items": mcnemar_over_items}
    ),
    "recall@10": Family(VALUE, recall, 0.15, {}),
    "nDCG@10": Family(VALUE, ndcg, 0.04, {}),
    "ROC-AUC": Family(ROC_AUC, area, 0.3, {}),
}


# --- measuring --------------------------------------------------------------------------------------------


def measure(name: str, examples: int, repetitions: int, resamples: int) -> Row:
    """Call `gain_of` on so many draws without a difference, and as many with one."""
    family = FAMILIES[name]
    none = _gains(family, examples, 0.0, repetitions, resamples)
    some = _gains(family, examples, family.effect, repetitions, resamples)
    gains = np.array([answer.value for answer in some[0]])
    true, spread = _true_gain(family), gains.std()
    shift = abs(true) / spread
    ideal = float(
        stats.norm.sf(stats.norm.isf(LEVEL / 2) - shift) + stats.norm.cdf(-stats.norm.isf(LEVEL / 2) - shift)
    )
    return Row(
        family=name,
        examples=examples,
        test=none[0][0].test,
        repetitions=repetitions,
        type_one=_share(answer.p < LEVEL for answer in none[0]),
        coverage_of_none=_share(answer.low <= 0 <= answer.high for answer in none[0]),
        coverage=_share(answer.low <= true <= answer.high for answer in some[0]),
        true_gain=true,
        power=_share(answer.p < LEVEL for answer in some[0]),
        ideal_power=ideal,
        rivals={rival: _share(p < LEVEL for p in ps) for rival, ps in none[1].items()},
    )


def _gains(
    family: Family, examples: int, effect: float, repetitions: int, resamples: int
) -> tuple[list[gain.Gain], dict[str, list[float]]]:
    generator = np.random.default_rng(examples)
    gains, rivals = [], defaultdict(list)
    _resample(resamples)
    for repetition in range(repetitions):
        drawn = family.draw(generator, examples, effect)
        pair = Paired.of(family.metric, (drawn.columns[0], None), (drawn.columns[1], None), drawn.clusters)
        gains.append(gain.gain_of(pair, repetition))
        for name, rival in family.rivals.items() if not effect else ():
            rivals[name].append(rival(drawn))
    return gains, dict(rivals)


def _resample(count: int) -> None:
    """Let `gain_of` draw so often: a share of rejections needs fewer resamples than one p-value."""
    gain.RESAMPLES = count


def real(folders: Sequence[Path], repetitions: int, resamples: int) -> Iterator[dict[str, object]]:
    """For each task of two results folders: how often do randomly swapped models seem to differ?"""
    tasks = load_plugins().tasks()
    (base,), (cand,) = (read_results(folder) for folder in folders)
    _resample(resamples)
    for slot, result in base.answered.items():
        score = result.evaluation.scores[0]
        metric = metric_of(score, slot[0], tasks)
        tables = [read_table(side.answered[slot]) for side in (base, cand)]
        whole = pair_tables(metric, *tables)
        generator = np.random.default_rng(0)
        gains = [
            gain.gain_of(_swap_clusters(whole, generator), repetition) for repetition in range(repetitions)
        ]
        yield {
            "task": slot[0],
            "metric": metric.name,
            "examples": whole.examples,
            "clusters": whole.count,
            "test": gains[0].test,
            "type_one": _share(answer.p < LEVEL for answer in gains),
            "coverage_of_none": _share(answer.low <= 0 <= answer.high for answer in gains),
        }


def _swap_clusters(whole: Paired, generator: np.random.Generator) -> Paired:
    swap = (generator.random(whole.count) < 0.5)[whole.units]
    sides = [
        [np.where(swap, other, own) for own, other in zip(side.columns, opposite.columns, strict=True)]
        for side, opposite in ((whole.baseline, whole.candidate), (whole.candidate, whole.baseline))
    ]
    return Paired.of(whole.metric, (sides[0], None), (sides[1], None), whole.units)


def _true_gain(family: Family) -> float:
    """The gain of a million examples, in five parts."""
    generator = np.random.default_rng(0)
    parts = []
    for _ in range(5):
        drawn = family.draw(generator, 200_000, family.effect)
        baseline, candidate = (family.metric.compute(*columns) for columns in drawn.columns)
        parts.append(candidate - baseline)
    return float(np.mean(parts))


def _share(truths: object) -> float:
    return float(np.mean(list(truths)))  # type: ignore[call-overload]


def main() -> None:
    """Measure, and write all rows after each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--resamples", type=int, default=999)
    parser.add_argument("--sizes", default="100,300,1000,2000")
    parser.add_argument("--families", default=";".join(FAMILIES))
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--real", nargs=2, type=Path, metavar=("BASE", "CAND"), help="results of one model each"
    )
    options = parser.parse_args()
    if options.real:
        tasks = []
        for row in real(options.real, options.repetitions, options.resamples):
            tasks.append(row)
            print(row, flush=True)
        if options.out:
            write_output(options.out, encode({"repetitions": options.repetitions, "tasks": tasks}))
        return
    rows: list[Row] = []
    for size in map(int, options.sizes.split(",")):
        for name in options.families.split(";"):
            rows.append(measure(name, size, options.repetitions, options.resamples))
            print(_line(rows[-1]), flush=True)
            if options.out:
                settings = {"repetitions": options.repetitions, "resamples": options.resamples}
                write_output(options.out, encode({**settings, "rows": [asdict(row) for row in rows]}))


def _line(row: Row) -> str:
    rivals = "".join(f", {name} {share:.1%}" for name, share in row.rivals.items())
    error = f"{row.family}, n = {row.examples} ({row.test}): type I {row.type_one:.1%}"
    covered = f"coverage {row.coverage_of_none:.1%} / {row.coverage:.1%}"
    return f"{error}, {covered}, power {row.power:.1%} of {row.ideal_power:.1%}{rivals}"


if __name__ == "__main__":
    main()
