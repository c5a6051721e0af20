"""A bench as tables and sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.bench.stopping import NOISY
from harness.render import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.bench.records import (
        Bench,
        Latency,
        Ratio,
        SpeedEstimate,
        Surroundings,
        VariantResult,
        WorkloadResult,
    )

_UNKNOWN = "–"
_MUCH = 0.05
"""Share of all cores, used by others, from which on it is said."""
_CEILING_APART = 0.8


def grids(bench: Bench) -> list[Table]:
    """Lay out a bench: who was measured, a grid per workload, and the batch curves."""
    names = list(dict.fromkeys(one.workload for variant in bench.variants for one in variant.workloads))
    return [
        _variants_grid(bench),
        *(_workload_grid(bench, name) for name in names),
        *([_curve_grid(bench, names)] if names else []),
    ]


def caveats(bench: Bench) -> list[str]:
    """What a reader must know before quoting a figure, a sentence each."""
    found = [*(_floor(one) for one in bench.noise_floor), *_others(bench), *_ceilings(bench)]
    if len(bench.variants) > 1 and not bench.noise_floor:
        found.append("noise floor: not measured (--against-itself)")
    found.append(f"energy: {bench.energy}" if bench.energy else "energy: not given by this platform")
    for variant in bench.variants:
        found += _about(variant)
    return found


def _about(variant: VariantResult) -> list[str]:
    """Say why a slower backend was taken, and what a lower precision costs: a speed is nothing without."""
    facts = variant.facts
    if facts is None:
        return []
    said = [f"{variant.label}: {note}" for note in facts.notes]
    if (moved := facts.deviation) is not None:
        kept = f"{moved.neighbors:.1%} of neighbors stay"
        said.append(
            f"{variant.label}: embeddings move by 1 − cos up to {moved.largest:.1e} from float32; {kept}"
        )
    return said


def _variants_grid(bench: Bench) -> Table:
    header = ["variant", "backend", "threads", "cold start", "imports", "load", "first", "memory", "matmul"]
    on_device = any(one.memory and one.memory.device is not None for one in bench.variants)
    rows = [[Cell(text) for text in _variant(one, on_device=on_device)] for one in bench.variants]
    where = bench.machine
    title = ", ".join([where.processor, f"{where.cores} cores", *where.devices])
    remarks = [f"{one.label}: ERROR: {one.error}" for one in bench.variants if one.error]
    return Table(
        "bench",
        f"{title} · machine {where.fingerprint[:8]}",
        [*header, *(["VRAM"] if on_device else [])],
        rows,
        remarks,
    )


def _variant(one: VariantResult, *, on_device: bool) -> list[str]:
    start, threads = one.start, one.threads
    cells = [
        one.label,
        one.facts.backend if one.facts else "ERROR",
        f"{threads.workers}×{threads.per_worker}" if threads else _UNKNOWN,
        *(
            [_seconds(value) for value in (start.total, start.imports, start.load, start.first_encode)]
            if start
            else [_UNKNOWN] * 4
        ),
        _megabytes(one.memory.peak if one.memory else None),
        f"{one.ceiling.gflops:,.0f} GFLOP/s" if one.ceiling else _UNKNOWN,
    ]
    if on_device:
        cells.append(_megabytes(one.memory.device if one.memory else None))
    return cells


def _workload_grid(bench: Bench, name: str) -> Table:
    found = [(one, result) for one in bench.variants for result in one.workloads if result.workload == name]
    ratios = {one.label: one for one in (*bench.ratios, *bench.noise_floor) if one.workload == name}
    energy = any(result.joules_per_text is not None for _, result in found)
    header = ["variant", "texts/s", "tokens/s", "pad", "cores", "p50 p95 p99 ms", "matmul"]
    header += ["J/text"] if energy else []
    header += [f"× {next(iter(ratios.values())).against}"] if ratios else []
    rows = []
    for variant, result in found:
        cells = _figures(variant.label, result)
        cells += [_number(result.joules_per_text)] if energy else []
        if ratios:
            ratio = ratios.get(variant.label)
            cells.append(_times(ratio.ratio) if ratio else "1")
        rows.append([Cell(text) for text in cells])
    first = found[0][1]
    tokens = f", {first.tokens:,} tokens" if first.tokens is not None else ""
    subtitle = f"{first.texts} texts{tokens} · {len(first.rounds)} rounds ({first.digest[:8]})"
    compared = [one for one in bench.ratios if one.workload == name]
    return Table(name, subtitle, header, rows, _verdicts(found, compared))


def _figures(label: str, result: WorkloadResult) -> list[str]:
    tokens, padded = result.tokens, result.padded_tokens
    return [
        label,
        _speed(result.texts_per_second),
        number(result.tokens_per_second, ",.0f"),
        f"{padded / tokens:.2f}" if tokens and padded else _UNKNOWN,
        f"{_cores(result):.1f}",
        _latency(result.latency),
        number(result.share_of_ceiling, ".0%"),
    ]


def _curve_grid(bench: Bench, names: Sequence[str]) -> Table:
    """Throughput by texts per call; one pass, without intervals: the shape is what to look at."""
    found = [
        (name, variant.label, result)
        for name in names
        for variant in bench.variants
        for result in variant.workloads
        if result.workload == name
    ]
    sizes = sorted({point.texts_per_call for *_, result in found for point in result.batch_curve})
    rows = []
    for name, label, result in found:
        speeds = {point.texts_per_call: point.texts_per_second for point in result.batch_curve}
        shown = [f"{speeds[size]:.0f}" if size in speeds else _UNKNOWN for size in sizes]
        rows.append([Cell(f"{name} · {label}"), *(Cell(text) for text in shown)])
    subtitle = "texts/s by texts per call: one short try each, for the shape"
    return Table("batch curve", subtitle, ["", *map(str, sizes)], rows)


def _verdicts(found: Sequence[tuple[VariantResult, WorkloadResult]], ratios: Sequence[Ratio]) -> list[str]:
    """Say in words what may be said, and of what may not, why."""
    said = []
    for variant, result in found:
        if result.verdict != "measured":
            spread = f"rounds of {_span(result)}, ±{result.texts_per_second.half_width:.0%}"
            said.append(f"{variant.label}: too noisy to say: {spread}{_company(result.surroundings)}")
        elif not result.settled:
            said.append(f"{variant.label}: not settled after {len(result.warm_up)} rounds of warm-up")
    said += [_compared(one) for one in ratios]
    return said


_WORDS = {
    "faster": "faster than",
    "slower": "slower than",
    "no difference seen": "no difference seen from",
    "too noisy to say": "too noisy to say against",
}


def _compared(one: Ratio) -> str:
    noisy = one.comparison == "too noisy to say"
    why = f", ±{one.ratio.half_width:.0%} is more than {NOISY:.0%}" if noisy else ""
    by_cpu = f"; by processor time {_times(one.cpu_ratio)}" if noisy and one.cpu_ratio else ""
    return (
        f"{one.label}: {_WORDS[one.comparison]} {one.against} ({one.rounds} rounds side by side{why}){by_cpu}"
    )


def _floor(one: Ratio) -> str:
    holds = "contains 1" if one.ratio.low <= 1 <= one.ratio.high else "does NOT contain 1"
    return (
        f"noise floor, {one.workload}: {one.against} against itself {_interval(one.ratio, '{:.3f}')}, {holds}"
    )


def _others(bench: Bench) -> list[str]:
    """Say what else ran."""
    around = [one.surroundings for variant in bench.variants for one in variant.workloads]
    shares = [one.others for one in around if one.others is not None]
    steals = [one.steal for one in around if one.steal is not None]
    said = []
    if shares and max(shares) >= _MUCH:
        most = f"; still running: {', '.join(bench.competitors)}" if bench.competitors else ""
        span = f"{min(shares):.0%} to {max(shares):.0%}"
        said.append(f"other processes used {span} of all cores during the rounds{most}")
    elif shares:
        said.append(f"other processes used at most {max(shares):.0%} of all cores during the rounds")
    if steals and max(steals) >= _MUCH / 5:
        said.append(f"the hypervisor took up to {max(steals):.0%} of all cores during the rounds")
    loads = [one for each in around for one in (each.load_before, each.load_after) if one is not None]
    return [*said, f"load average {min(loads):.1f} to {max(loads):.1f}"] if loads else said


def _ceilings(bench: Bench) -> list[str]:
    found = []
    for variant in bench.variants:
        tries = variant.ceiling.tries if variant.ceiling else ()
        if tries and min(tries) < _CEILING_APART * max(tries):
            span = f"{min(tries):,.0f} to {max(tries):,.0f} GFLOP/s"
            found.append(
                f"{variant.label}: the matmul ceiling itself was measured at {span}; the best counts"
            )
    return found


def _company(around: Surroundings) -> str:
    return "" if around.others is None else f"; other processes used {around.others:.0%} of all cores"


def _span(result: WorkloadResult) -> str:
    milliseconds = [1000 * one.wall for one in result.rounds]
    return f"{_number(min(milliseconds))} to {_number(max(milliseconds))} ms"


def _cores(result: WorkloadResult) -> float:
    """Processor time per time: how many cores were at work on it."""
    return sum(one.cpu for one in result.rounds) / sum(one.wall for one in result.rounds)


def _speed(estimate: SpeedEstimate) -> str:
    """Texts per second, in thousands where there are many."""
    if estimate.value >= 10_000:
        thousands = replace(
            estimate, value=estimate.value / 1e3, low=estimate.low / 1e3, high=estimate.high / 1e3
        )
        return _interval(thousands, "{:.1f}k")
    return _interval(estimate, "{:.0f}" if estimate.value >= 10 else "{:.2f}")


def _interval(estimate: SpeedEstimate, form: str) -> str:
    value, low, high = (form.format(one) for one in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _times(ratio: SpeedEstimate) -> str:
    return _interval(ratio, "{:.2f}" if ratio.value < 10 else "{:.1f}" if ratio.value < 100 else "{:.0f}")


def _latency(latency: Latency | None) -> str:
    if latency is None:
        return _UNKNOWN
    return " ".join(_number(one) for one in (latency.p50, latency.p95, latency.p99))


def _number(value: float | None) -> str:
    """Three figures."""
    if value is None:
        return _UNKNOWN
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 0.1 else f"{1000 * value:.0f} ms"


def _megabytes(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count / 1e6:.0f} MB"
