"""How often do the tests of `harness compare` claim a difference where there is none?

Each family draws two models' answers of equal true score, many times over, and asks `gain_of`, as `harness
compare` does: nominal 5 % should claim a difference in 5 % of the cases. With a true difference it counts how
often the interval covers it, and how often the test finds it, beside a z-test that knows the true spread
(the paired ideal). Rivals that misfire are held beside.

    python -m benchmarks.type_one --out benchmarks/results/type_one.json
    python -m benchmarks.type_one --repetitions 200 --sizes 100 --families "accuracy;ROC-AUC"
    python -m benchmarks.type_one --real --data ../shared/data --out benchmarks/results/type_one.json

A file that is there keeps its other rows: what is measured again takes the place of what was.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy import stats

from harness.metrics import AVERAGE_PRECISION, MACRO_F1, PEARSON, ROC_AUC, SPEARMAN, mean_metric
from harness.paired import gain, resampling
from harness.paired.answers import Paired
from harness.paired.proportions import mcnemar
from harness.results import encode, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harness import Dataset, Metric, Model, Role, Task

    Columns = list[np.ndarray]

VALUE = mean_metric("value")
LEVEL = 0.05
Z = 1.959963984540054
_SEEDS = 8
"""So many different sets of resamples serve all repetitions, in turn: what must be drawn anew is the data."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two models' answers to the same examples, as the columns of a metric, (n,) each."""

    baseline: Columns
    candidate: Columns
    clusters: np.ndarray

    def pair(self, metric: Metric, *, clustered: bool = True) -> Paired:
        """Put them side by side; as if every example stood alone where not `clustered`."""
        units = self.clusters if clustered else np.arange(len(self.clusters))
        return Paired.of(metric, (self.baseline, None), (self.candidate, None), units)


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of data, a metric of it, and what else one might test it with."""

    metric: Metric
    draw: Callable[[np.random.Generator, int, float], Drawn]
    effect: float
    """What `draw` is given for a true difference; 0 gives none."""
    rivals: dict[str, Callable[[Metric, Drawn], bool]] = field(default_factory=dict)
    """Name → whether it claims a difference at 5 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one family at one size."""

    family: str
    examples: int
    units: float
    """On average."""
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
    seconds: float


# --- data -------------------------------------------------------------------------------------------------


def sts(generator: np.random.Generator, n: int, effect: float, *, ends: bool = False) -> Drawn:
    """Ratings from 0 to 5 in steps; bounded similarities, whose heavy-tailed errors models share in part.

    Models are apart most on pairs of middling meaning, or, with `ends`, on those far from the middle: there
    formulae that assume normal data know least of the gain's spread.
    """
    meaning = generator.normal(size=n)
    gold = np.clip(np.round((2.6 + 1.6 * meaning) * 5) / 5, 0, 5)
    shared = generator.standard_t(4, size=n) * 0.35
    hard = 0.25 + 0.35 * np.abs(meaning) if ends else 0.4 + 0.5 * (np.abs(meaning) < 1)
    baseline, candidate = (
        np.tanh(0.45 * meaning + (shared + generator.standard_t(4, size=n) * 0.5 * hard) * 0.6 * (1 + more))
        for more in (0.0, effect)
    )
    return Drawn([gold, baseline], [gold, candidate], np.arange(n))


def sts_clustered(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Pairs that share sentences, four each on average; a model errs alike on pairs of one cluster."""
    clusters = np.sort(generator.integers(max(n // 4, 12), size=n))
    meaning = generator.normal(size=n)
    gold = np.clip(2.6 + 1.6 * meaning, 0, 5)
    errors = (
        (generator.normal(size=clusters.max() + 1)[clusters] + generator.normal(size=n)) * 0.2 * (1 + more)
        for more in (0.0, effect)
    )
    baseline, candidate = (np.tanh(0.45 * meaning + error) for error in errors)
    return Drawn([gold, baseline], [gold, candidate], clusters)


def accuracy(generator: np.random.Generator, n: int, effect: float, *, apart: float = 0.12) -> Drawn:
    """Right or wrong, each example on its own; models differ in the share `apart` of their answers."""
    right = generator.random(n) < 0.75
    differs = generator.random(n) < apart
    gained = generator.random(n) < 0.5 + effect
    baseline, candidate = (np.where(differs, one, right).astype(float) for one in (~gained, gained))
    return Drawn([baseline], [candidate], np.arange(n))


def clustered_accuracy(generator: np.random.Generator, n: int, effect: float, *, spread: float) -> Drawn:
    """17 questions of each document (12 documents at least), some of which suit one model as a whole.

    spread: standard deviation, over documents, of the log-odds by which the candidate is better.
    """
    documents = max(n // 17, 12)
    clusters = np.arange(n) % documents
    level = generator.normal(size=documents)[clusters] + 0.8
    lean = generator.normal(size=documents)[clusters] * spread + effect
    baseline, candidate = (
        (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
        for logit in (level - lean / 2, level + lean / 2)
    )
    return Drawn([baseline], [candidate], clusters)


def margins(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Margins of triplets, three of each anchor on average, to which a model's error is common in part."""
    clusters = np.sort(generator.integers(max(n // 3, 12), size=n))
    common = 0.15 + 0.2 * generator.normal(size=n)
    baseline, candidate = (
        common + more
        + 0.05 * generator.standard_t(4, size=clusters.max() + 1)[clusters]
        + 0.05 * generator.standard_t(4, size=n)
        for more in (0.0, effect)
    )  # fmt: skip
    return Drawn([baseline], [candidate], clusters)


def recall(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Recall of queries: most of them alike in both models, some gained and some lost by quarters."""
    base = generator.choice([0.0, 0.5, 1.0], p=[0.3, 0.3, 0.4], size=n)
    moved = generator.random(n) < 0.2
    up = np.where(generator.random(n) < 0.5 + effect, 1, -1)
    step = up * generator.choice([0.25, 0.5, 1.0], p=[0.3, 0.4, 0.3], size=n)
    return Drawn([base], [base + np.where(moved, step, 0.0)], np.arange(n))


def ndcg(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Continuous values of queries, half of them alike, the others apart by a skewed amount."""
    base = generator.beta(2, 1, size=n)
    moved = (generator.gamma(1.0, 0.25, size=n) - 0.25 + effect) * (generator.random(n) < 0.5)
    return Drawn([base], [base + moved], np.arange(n))


def positives(generator: np.random.Generator, n: int, effect: float, *, share: float = 1 / 3) -> Drawn:
    """Positives and negatives, and scores whose errors models share in part."""
    gold = (generator.random(n) < share).astype(int)
    shared = generator.normal(size=n) * 0.7
    baseline, candidate = (
        gold * (1 + more) + shared + generator.normal(size=n) * 0.7 for more in (0.0, effect)
    )
    return Drawn([gold, baseline], [gold, candidate], np.arange(n))


def classes(generator: np.random.Generator, n: int, effect: float) -> Drawn:
    """Three classes of 60, 30 and 10 %; a wrong answer is any class, and models share most answers."""
    gold = generator.choice(3, p=[0.6, 0.3, 0.1], size=n)
    guess = generator.choice(3, size=n)
    common = np.where(generator.random(n) < 0.7, gold, guess)
    own = generator.random(n) < 0.3
    baseline, candidate = (
        np.where(own, np.where(generator.random(n) < 0.7 + more, gold, generator.choice(3, size=n)), common)
        for more in (0.0, effect)
    )
    return Drawn([gold, baseline], [gold, candidate], np.arange(n))


# --- rivals -----------------------------------------------------------------------------------------------


def williams(_: Metric, drawn: Drawn, *, ranked: bool = False) -> bool:
    """Williams' t for two correlations that share a variable; of ranks, for Spearman's.

    Source: Steiger (1980), "Tests for comparing elements of a correlation matrix", equation 7.
    """
    n = len(drawn.clusters)
    a, b, c = _three_correlations(drawn, ranked)
    determinant = 1 - a * a - b * b - c * c + 2 * a * b * c
    below = 2 * determinant * (n - 1) / (n - 3) + ((a + b) / 2) ** 2 * (1 - c) ** 3
    return bool(2 * stats.t.sf(abs((a - b) * np.sqrt((n - 1) * (1 + c) / below)), n - 3) < LEVEL)


def zou(_: Metric, drawn: Drawn, *, ranked: bool = False) -> bool:
    """Zou's interval for the same, from Fisher's intervals of both.

    Source: Zou (2007), "Toward using confidence intervals to compare correlations", equation 15.
    """
    a, b, c = _three_correlations(drawn, ranked)
    half = Z / np.sqrt(len(drawn.clusters) - 3)
    (low_a, high_a), (low_b, high_b) = (np.tanh(np.arctanh(one) + np.array([-half, half])) for one in (a, b))
    shared = ((c - a * b / 2) * (1 - a * a - b * b - c * c) + c**3) / ((1 - a * a) * (1 - b * b))
    below, above = (
        np.sqrt(one**2 + other**2 - 2 * shared * one * other)
        for one, other in ((a - low_a, high_b - b), (high_a - a, b - low_b))
    )
    return not a - b - below <= 0 <= a - b + above


def unpaired_z(_: Metric, drawn: Drawn, *, ranked: bool = False) -> bool:
    """Fisher's z as if two sets of examples had been drawn."""
    a, b, _c = _three_correlations(drawn, ranked)
    return bool(abs(np.arctanh(a) - np.arctanh(b)) > Z * np.sqrt(2 / (len(drawn.clusters) - 3)))


def _three_correlations(drawn: Drawn, ranked: bool) -> tuple[float, float, float]:
    (gold, left), (_, right) = drawn.baseline, drawn.candidate
    sides = [stats.rankdata(one) if ranked else one for one in (gold, left, right)]
    found = np.corrcoef(sides)
    return float(found[0, 1]), float(found[0, 2]), float(found[1, 2])


def mcnemar_over_items(_: Metric, drawn: Drawn) -> bool:
    """McNemar's mid-p, as if items of one document had been drawn apart."""
    return mcnemar(*_changed(drawn)) < LEVEL


def mcnemar_exact(_: Metric, drawn: Drawn) -> bool:
    """McNemar's exact test, which a mid-p value spares half of the chance of what was seen."""
    gained, lost = _changed(drawn)
    return bool(gained + lost and stats.binomtest(gained, gained + lost).pvalue < LEVEL)


def _changed(drawn: Drawn) -> tuple[int, int]:
    difference = drawn.candidate[0] - drawn.baseline[0]
    return int((difference > 0).sum()), int((difference < 0).sum())


def unclustered(metric: Metric, drawn: Drawn) -> bool:
    """Our own test, as if every example stood alone."""
    return gain.gain_of(drawn.pair(metric, clustered=False), 0).p < LEVEL


OF_RANKS: dict[str, Callable[[Metric, Drawn], bool]] = {
    "Williams of ranks": partial(williams, ranked=True),
    "Zou of ranks": partial(zou, ranked=True),
    "unpaired Fisher z of ranks": partial(unpaired_z, ranked=True),
}
OF_VALUES: dict[str, Callable[[Metric, Drawn], bool]] = {
    "Williams": williams,
    "Zou": zou,
    "unpaired Fisher z": unpaired_z,
}
FAMILIES = {
    "sts, Spearman": Family(SPEARMAN, sts, 0.25, OF_RANKS),
    "sts, Pearson": Family(PEARSON, sts, 0.25, OF_VALUES),
    "sts apart at the ends, Spearman": Family(SPEARMAN, partial(sts, ends=True), 0.25, OF_RANKS),
    "sts apart at the ends, Pearson": Family(PEARSON, partial(sts, ends=True), 0.25, OF_VALUES),
    "sts in clusters, Spearman": Family(
        SPEARMAN, sts_clustered, 0.3, {**OF_RANKS, "unclustered bootstrap": unclustered}
    ),
    "sts in clusters, Pearson": Family(
        PEARSON, sts_clustered, 0.3, {**OF_VALUES, "unclustered bootstrap": unclustered}
    ),
    "accuracy": Family(VALUE, accuracy, 0.2, {"McNemar exact": mcnemar_exact}),
    "accuracy, 3 % differ": Family(
        VALUE, partial(accuracy, apart=0.03), 0.3, {"McNemar exact": mcnemar_exact}
    ),
    "accuracy in clusters, 0.3": Family(
        VALUE, partial(clustered_accuracy, spread=0.3), 0.3, {"McNemar over items": mcnemar_over_items}
    ),
    "accuracy in clusters, 0.6": Family(
        VALUE, partial(clustered_accuracy, spread=0.6), 0.3, {"McNemar over items": mcnemar_over_items}
    ),
    "margins in clusters": Family(VALUE, margins, 0.02, {"unclustered sign flip": unclustered}),
    "recall@10": Family(VALUE, recall, 0.15),
    "nDCG@10": Family(VALUE, ndcg, 0.04),
    "ROC-AUC": Family(ROC_AUC, positives, 0.3),
    "ROC-AUC, 10 % positive": Family(ROC_AUC, partial(positives, share=0.1), 0.5),
    "macro-F1": Family(MACRO_F1, classes, 0.15),
    "average precision": Family(AVERAGE_PRECISION, positives, 0.3),
}


# --- measuring --------------------------------------------------------------------------------------------


def measure(name: str, examples: int, repetitions: int, resamples: int) -> Row:
    """Ask `gain_of` about so many draws without a difference, and as many with one."""
    began, family = time.perf_counter(), FAMILIES[name]
    with fewer_resamples(resamples):
        none, rivals = _asked(family, examples, 0.0, repetitions)
        some, _ = _asked(family, examples, family.effect, repetitions)
    true = true_gain(name)
    shift = abs(true) / np.std([one.value for one in some])
    return Row(
        family=name,
        examples=examples,
        units=float(np.mean([one.units for one in none])),
        test=none[0].test,
        repetitions=repetitions,
        type_one=_share(one.p < LEVEL for one in none),
        coverage_of_none=_share(one.low <= 0 <= one.high for one in none),
        coverage=_share(one.low <= true <= one.high for one in some),
        true_gain=true,
        power=_share(one.p < LEVEL for one in some),
        ideal_power=float(stats.norm.sf(Z - shift) + stats.norm.cdf(-Z - shift)),
        rivals=rivals,
        seconds=time.perf_counter() - began,
    )


def _asked(
    family: Family, examples: int, effect: float, repetitions: int
) -> tuple[list[gain.Gain], dict[str, float]]:
    """Draw and ask, time and again; without an effect, the share of claims of every rival too."""
    generator = np.random.default_rng(examples)
    gains, claims = [], defaultdict(list)
    for repetition in range(repetitions):
        drawn = family.draw(generator, examples, effect)
        gains.append(gain.gain_of(drawn.pair(family.metric), repetition))
        for name, rival in family.rivals.items() if not effect else ():
            claims[name].append(rival(family.metric, drawn))
    return gains, {name: _share(made) for name, made in claims.items()}


@contextmanager
def fewer_resamples(count: int) -> Iterator[None]:
    """Let `gain_of` draw `count` times only, and units from few seeds: drawing them anew is what costs.

    A share of rejections needs neither many resamples nor new ones for each repetition.
    """
    before = gain.RESAMPLES, gain.resamples, gain.signs

    @lru_cache(maxsize=64)
    def kept(units: int, seed: int) -> list[np.ndarray]:
        return list(resampling.resamples(units, seed, count))

    gain.RESAMPLES = count
    gain.resamples = lambda units, seed, _count: kept(units, seed % _SEEDS)
    gain.signs = lambda units, seed: resampling.signs(units, seed, count)
    try:
        yield
    finally:
        gain.RESAMPLES, gain.resamples, gain.signs = before


@lru_cache
def true_gain(name: str) -> float:
    """The gain of a million examples, in five parts."""
    generator, family = np.random.default_rng(0), FAMILIES[name]
    parts = (family.draw(generator, 200_000, family.effect) for _ in range(5))
    return float(
        np.mean(
            [family.metric.compute(*part.candidate) - family.metric.compute(*part.baseline) for part in parts]
        )
    )


def _share(truths: Iterable[bool]) -> float:
    return float(np.mean(list(truths)))


# --- real predictions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRow:
    """What came of one task of real data."""

    task: str
    metric: str
    null: str
    """What makes the models equal."""
    examples: int
    units: int
    test: str
    repetitions: int
    type_one: float
    coverage_of_none: float
    rivals: dict[str, float]
    seconds: float


REAL: dict[str, dict[str, Callable[[Metric, Drawn], bool]]] = {
    "stsb": OF_RANKS,
    "stsb-dev": OF_RANKS,
    "penal-triplets": {"McNemar exact": mcnemar_exact},
    "contract-nli": {"unclustered bootstrap": unclustered},
    "cranfield": {},
}
DROPPED = {"stsb": ("text1", "text2"), "penal-triplets": ("anchor",)}
"""Tasks that a repetition can answer anew, and columns of texts that belong to one cluster each."""


@dataclass(frozen=True)
class Copy:
    """A model whose embeddings are there already, and may have been changed since."""

    model: Model
    rows: dict[tuple[str, Role], int]
    embeddings: np.ndarray

    def encode(self, texts: list[str], role: Role | None = None) -> np.ndarray:
        """The rows of these texts: (len(texts), dimensions)."""
        from harness import Role

        return self.embeddings[[self.rows[text, role or Role.TEXT] for text in texts]]

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        return getattr(self.model, name)


def encoded(model: Model, task: Task, dataset: Dataset) -> Copy:
    """Encode all texts of a task, each once."""
    wanted = list(dict.fromkeys(task.texts(dataset)))
    embeddings = np.empty((len(wanted), model.facts.dimensions), dtype=np.float32)
    for role in {role for _, role in wanted}:
        rows = [row for row, (_, asked) in enumerate(wanted) if asked is role]
        embeddings[rows] = model.encode([wanted[row][0] for row in rows], role)
    return Copy(model, {text: row for row, text in enumerate(wanted)}, embeddings)


def truncated(copy: Copy, dimensions: int) -> Copy:
    """Keep the first dimensions."""
    return Copy(copy.model, copy.rows, copy.embeddings[:, :dimensions])


def dropped(copy: Copy, rows: np.ndarray, generator: np.random.Generator) -> Copy:
    """Set a random tenth of the embeddings in `rows` to zero, as dropout does."""
    embeddings = copy.embeddings.copy()
    embeddings[rows] *= generator.random((len(rows), embeddings.shape[1]), dtype=np.float32) >= 0.1
    return Copy(copy.model, copy.rows, embeddings)


def answers(task: Task, dataset: Dataset, baseline: Copy, candidate: Copy) -> Drawn:
    """Both models' answers by the task's headline metric."""
    tables = [task.predict(model, dataset) for model in (baseline, candidate)]
    sides = [[np.asarray(table[name]) for name in task.metrics[0].columns] for table in tables]
    names = tables[0]["cluster"] if "cluster" in tables[0] else tables[0]["id"]
    return Drawn(sides[0], sides[1], np.unique(np.asarray(names), return_inverse=True)[1])


def swapped(drawn: Drawn, generator: np.random.Generator) -> Drawn:
    """Swap the models in each cluster with probability one half: neither is better, whatever they are."""
    swap = (generator.random(drawn.clusters.max() + 1) < 0.5)[drawn.clusters]
    pairs = list(zip(drawn.baseline, drawn.candidate, strict=True))
    left = [np.where(swap, other, own) for own, other in pairs]
    return Drawn(left, [np.where(swap, own, other) for own, other in pairs], drawn.clusters)


def drawn_anew(drawn: Drawn, generator: np.random.Generator) -> Drawn:
    """Draw as many clusters with replacement, each of which counts as another one: a new test set."""
    order = np.argsort(drawn.clusters, kind="stable")
    sizes = np.bincount(drawn.clusters)
    starts = np.cumsum(sizes) - sizes
    picks = generator.integers(len(sizes), size=len(sizes))
    rows = np.concatenate([order[starts[pick] : starts[pick] + sizes[pick]] for pick in picks])
    clusters = np.repeat(np.arange(len(picks)), sizes[picks])
    return Drawn([one[rows] for one in drawn.baseline], [one[rows] for one in drawn.candidate], clusters)


def real(data: Path, repetitions: int, resamples: int) -> Iterator[RealRow]:
    """MiniLM against itself, on real texts: of 384 and 256 dimensions, swapped; and twice with dropout."""
    from harness import load_model
    from harness.data import DataSource
    from harness.plugins import load_plugins

    tasks, model = load_plugins().tasks(), load_model("minilm")
    for name, rivals in REAL.items():
        task = tasks[name]
        dataset = task.load(DataSource("files", data))
        copy = encoded(model, task, dataset)
        for null, draw in _nulls(task, dataset, copy).items():
            began = time.perf_counter()
            family = Family(task.metrics[0], draw, 0.0, rivals)
            with fewer_resamples(resamples):
                found, claims = _asked(family, 0, 0.0, repetitions)
            yield RealRow(
                task=name,
                metric=task.metrics[0].name,
                null=null,
                examples=found[0].examples,
                units=found[0].units,
                test=found[0].test,
                repetitions=repetitions,
                type_one=_share(one.p < LEVEL for one in found),
                coverage_of_none=_share(one.low <= 0 <= one.high for one in found),
                rivals=claims,
                seconds=time.perf_counter() - began,
            )


def _nulls(
    task: Task, dataset: Dataset, copy: Copy
) -> dict[str, Callable[[np.random.Generator, int, float], Drawn]]:
    """Ways to have two models of which neither is better: name → what draws their answers."""
    whole = answers(task, dataset, copy, truncated(copy, 256))
    nulls: dict[str, Callable[[np.random.Generator, int, float], Drawn]] = {
        "swapped": lambda generator, _n, _effect: swapped(whole, generator),
        "drawn anew, swapped": lambda generator, _n, _effect: swapped(
            drawn_anew(whole, generator), generator
        ),
    }

    def dropout(generator: np.random.Generator, rows: np.ndarray) -> Drawn:
        return answers(task, dataset, dropped(copy, rows, generator), dropped(copy, rows, generator))

    if task.name in DROPPED:
        own = {text for column in DROPPED[task.name] for text in dataset[column]}
        rows = np.array([row for (text, _), row in copy.rows.items() if text in own])
        nulls["dropout"] = lambda generator, _n, _effect: dropout(generator, rows)
        if len(rows) < len(copy.rows):
            every = np.arange(len(copy.rows))
            nulls["dropout of shared texts too"] = lambda generator, _n, _effect: dropout(generator, every)
    return nulls


# --- the command ------------------------------------------------------------------------------------------


def main() -> None:
    """Measure, and write after each row what is known by then."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--resamples", type=int, default=999)
    parser.add_argument("--sizes", default="100,300,1000,2000")
    parser.add_argument("--families", default=";".join(FAMILIES), help="names, with semicolons between")
    parser.add_argument("--real", action="store_true", help="real texts and minilm, instead of families")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the folder of real data")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    told: dict[str, Any] = {"rows": [], "real": []}
    if given.out and given.out.is_file():
        told = json.loads(given.out.read_bytes())
    for part, row in _rows(given):
        print(_line(row), flush=True)
        told[part] = [one for one in told[part] if _key(one) != _key(asdict(row))] + [asdict(row)]
        if given.out:
            write_atomically(given.out, encode({"resamples": given.resamples, **told}))


def _rows(given: argparse.Namespace) -> Iterator[tuple[str, Row | RealRow]]:
    if given.real:
        yield from (("real", row) for row in real(given.data, given.repetitions, given.resamples))
        return
    for name in given.families.split(";"):
        for size in map(int, given.sizes.split(",")):
            yield "rows", measure(name, size, given.repetitions, given.resamples)


def _key(row: dict[str, Any]) -> tuple[object, ...]:
    """What a row is of: the same again takes its place."""
    return tuple(row.get(name) for name in ("family", "task", "null", "examples" if "family" in row else ""))


def _line(row: Row | RealRow) -> str:
    rivals = "".join(f", {name} {share:.1%}" for name, share in row.rivals.items())
    what = row.family if isinstance(row, Row) else f"{row.task} by {row.metric}, {row.null}"
    found = f"{what}, n = {row.examples} in {row.units:.0f} ({row.test}): type I {row.type_one:.1%}"
    covered = f", coverage {row.coverage_of_none:.1%}"
    if isinstance(row, Row):
        covered += f" / {row.coverage:.1%}, power {row.power:.1%} of {row.ideal_power:.1%}"
    return f"{found}{covered}{rivals} [{row.seconds:.0f} s]"


if __name__ == "__main__":
    main()
