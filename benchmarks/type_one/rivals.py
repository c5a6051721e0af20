"""Type I errors of other tests, on families on which they misfire or hold.

python -m benchmarks.type_one.rivals --out benchmarks/results/type_one_rivals.json
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from benchmarks.type_one.cells import LEVEL, Drawn
from benchmarks.type_one.families import FAMILIES
from harness.results.folder import encode
from harness.stats.proportions import mcnemar
from harness.system.atomic import write_output

if TYPE_CHECKING:
    from collections.abc import Callable


def williams(drawn: Drawn) -> float:
    """Return the p-value of Williams' t for two correlations that share a variable (Steiger, 1980)."""
    (gold, left), (_, right) = drawn.columns
    return _williams(gold, left, right)


def williams_of_ranks(drawn: Drawn) -> float:
    """Return the same of ranks."""
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
    """Return the p-value of Fisher's z, as if two sets of examples had been drawn."""
    (gold, left), (_, right) = drawn.columns
    a, b = (np.arctanh(np.corrcoef(gold, values)[0, 1]) for values in (left, right))
    return float(2 * stats.norm.sf(abs(a - b) / np.sqrt(2 / (len(gold) - 3))))


def mcnemar_over_items(drawn: Drawn) -> float:
    """Return McNemar's mid-p, as if items of one document had been drawn apart."""
    difference = drawn.columns[1][0] - drawn.columns[0][0]
    return mcnemar(int((difference > 0).sum()), int((difference < 0).sum()))


RIVALS: list[tuple[str, str, Callable[[Drawn], float]]] = [
    ("spearman, ratings in steps", "Williams of ranks", williams_of_ranks),
    ("spearman, ratings in steps", "unpaired Fisher z", unpaired_z),
    ("pearson, ratings in steps", "Williams", williams),
    ("pearson, ratings in steps", "unpaired Fisher z", unpaired_z),
    ("spearman, clusters of four", "Williams of ranks", williams_of_ranks),
    ("accuracy, even clusters", "McNemar over items", mcnemar_over_items),
]


def measure(name: str, rival: Callable[[Drawn], float], size: int, repetitions: int) -> float:
    """Return the share of claims of a test on a family whose models are equal."""
    family = next(family for family in FAMILIES if family.name == name)
    generator = np.random.default_rng(size)
    return float(np.mean([rival(family.draw(generator, size)) < LEVEL for _ in range(repetitions)]))


def main() -> None:
    """Measure all, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=4000)
    parser.add_argument("--sizes", default="100,300,1000")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    rows = []
    for family, name, rival in RIVALS:
        shares = {str(size): measure(family, rival, size, options.repetitions) for size in sizes}
        rows.append({"family": family, "rival": name, "type_one": shares})
        print(rows[-1], flush=True)
    if options.out:
        write_output(options.out, encode({"repetitions": options.repetitions, "rows": rows}))


if __name__ == "__main__":
    main()
