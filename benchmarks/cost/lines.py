"""Cost as a line in texts or documents: fitted to small sizes, and held against large ones."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from harness.bench.cost.constants import SEARCH_QUERY
from harness.bench.cost.records import CostRange
from harness.bench.cost.speed import pair_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Found = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """What one size took: medians over its repetitions."""

    name: str
    count: int
    """Texts or documents."""
    seconds: float
    cpu_seconds: float
    before_mib: float
    peak_mib: float
    runs: Sequence[Found]


def sizes(found: Found, kind: str, *, ends: str = "") -> list[Size]:
    """Return the sizes of a kind (`encode`, `tiny`, `search`), smallest first; ends: `-768` of a width."""
    named: list[Size] = []
    for name, runs in found.items():
        what, _, rest = name.partition("-")
        count, _, width = rest.partition("-")
        if what == kind and count.isdigit() and width == ends.lstrip("-"):
            seconds, cpu, before, peak = (
                median(run[key] for run in runs)
                for key in ("seconds", "cpu_seconds", "before_mib", "peak_mib")
            )
            named.append(Size(name, int(count), seconds, cpu, before, peak, runs))
    return sorted(named, key=lambda each: each.count)


def slope(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line through two points or more."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    steep = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    return middle_y - steep * middle_x, steep


def predicted(small: Sequence[Size], count: int) -> float:
    """Return the processor seconds of a size by the line through smaller ones."""
    start, steep = slope([(each.count, each.cpu_seconds) for each in small])
    return start + steep * count


def residual(all_sizes: Sequence[Size]) -> float:
    """Return the largest distance from the line through all sizes, as a share of the largest seconds."""
    start, steep = slope([(each.count, each.cpu_seconds) for each in all_sizes])
    most = max(each.cpu_seconds for each in all_sizes)
    return max(abs(each.cpu_seconds - start - steep * each.count) for each in all_sizes) / most


def planned(size: Size) -> CostRange:
    """Return the seconds of a search on one core as `harness plan` has them, by the measured ceiling."""
    run = size.runs[0]
    best = median(each["ceiling_gflops"] for each in size.runs)
    queries = int(run["queries"])
    pairs = pair_seconds(CostRange(best, best, best), 1, run["dimensions"]) * (size.count * queries)
    return pairs + SEARCH_QUERY * queries


def error(guess: float, truth: float) -> float:
    """Return the relative error of a prediction."""
    return guess / truth - 1


def spread(found: Found) -> float:
    """Return how much of a worker a second one adds, by processor seconds for each text: 1 is perfect."""
    alone: float = median(each["cpu_seconds"] for each in found["alone"])
    both: float = median(each["cpu_seconds"] for pair in found["both"] for each in pair)
    return 2 * alone / both - 1


def speed_by_bench(bench: Found, workload: str) -> tuple[float, float]:
    """Return processor seconds and mean tokens of a text of a workload, by a bench's rounds."""
    (work,) = [each for each in bench["variants"][0]["workloads"] if each["workload"] == workload]
    return median(each["cpu"] for each in work["rounds"]) / work["texts"], work["tokens"] / work["texts"]
