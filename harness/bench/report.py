"""Report of a bench for the terminal: its tables, and sentences that state the result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.bench.stopping import NOISY
from harness.render import number
from harness.table import Cell, Table

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
"""Minimum share of all cores, used by other processes, that is reported."""
_CEILING_APART = 0.8
"""Minimum ratio of the tries of a ceiling; below, their spread is reported."""


def bench_tables(bench: Bench) -> list[Table]:
    """Return the tables of a bench: variants, one for each workload, and batch curves."""
    names = list(dict.fromkeys(result.workload for variant in bench.variants for result in variant.workloads))
    return [
        _variants_table(bench),
        *(_workload_table(bench, name) for name in names),
        *([_curve_table(bench, names)] if names else []),
    ]


def caveats(bench: Bench) -> list[str]:
    """Return what a reader must know before quoting a figure, one sentence each."""
    floors = [_noise_floor(ratio) for ratio in bench.noise_floor]
    sentences = [*floors, *_machine_load(bench), *_ceilings(bench)]
    if len(bench.variants) > 1 and not bench.noise_floor:
        sentences.append("noise floor: not measured (--against-itself)")
    sentences.append(f"energy: {bench.energy or 'not available on this platform'}")
    for variant in bench.variants:
        sentences += _model_notes(variant)
    return sentences


def _model_notes(variant: VariantResult) -> list[str]:
    """Return why a slower backend was chosen, and what a lower precision costs."""
    facts = variant.facts
    if facts is None:
        return []
    notes = [f"{variant.label}: {note}" for note in facts.notes]
    if (deviation := facts.deviation) is not None:
        notes.append(
            f"{variant.label}: embeddings differ from float32 by 1 − cos up to {deviation.largest:.1e};"
            f" {deviation.neighbors:.1%} of neighbors stay"
        )
    return notes


def _variants_table(bench: Bench) -> Table:
    header = ["variant", "backend", "threads", "cold start", "imports", "load", "first", "memory", "matmul"]
    on_device = any(each.memory and each.memory.device is not None for each in bench.variants)
    rows = [[Cell(text) for text in _variant_cells(each, on_device=on_device)] for each in bench.variants]
    machine = bench.machine
    hardware = ", ".join([machine.processor, f"{machine.cores} cores", *machine.devices])
    remarks = [f"{each.label}: ERROR: {each.error}" for each in bench.variants if each.error]
    return Table(
        "bench",
        f"{hardware} · machine {machine.fingerprint[:8]}",
        [*header, *(["VRAM"] if on_device else [])],
        rows,
        remarks,
        names=frozenset(each.label for each in bench.variants),
    )


def _variant_cells(variant: VariantResult, *, on_device: bool) -> list[str]:
    start, threads = variant.start, variant.threads
    cells = [
        variant.label,
        variant.facts.backend if variant.facts else "ERROR",
        f"{threads.workers}×{threads.per_worker}" if threads else _UNKNOWN,
        *(
            [_seconds(value) for value in (start.total, start.imports, start.load, start.first_encode)]
            if start
            else [_UNKNOWN] * 4
        ),
        _megabytes(variant.memory.peak if variant.memory else None),
        f"{variant.ceiling.gflops:,.0f} GFLOP/s" if variant.ceiling else _UNKNOWN,
    ]
    if on_device:
        cells.append(_megabytes(variant.memory.device if variant.memory else None))
    return cells


def _workload_table(bench: Bench, name: str) -> Table:
    results = [
        (variant, result)
        for variant in bench.variants
        for result in variant.workloads
        if result.workload == name
    ]
    ratios = {each.label: each for each in (*bench.ratios, *bench.noise_floor) if each.workload == name}
    energy = any(result.joules_per_text is not None for _, result in results)
    header = ["variant", "texts/s", "tokens/s", "pad", "cores", "p50 p95 p99 ms", "matmul"]
    header += ["J/text"] if energy else []
    header += [f"× {next(iter(ratios.values())).against}"] if ratios else []
    rows = []
    for variant, result in results:
        cells = _workload_cells(variant.label, result)
        cells += [_number(result.joules_per_text)] if energy else []
        if ratios:
            ratio = ratios.get(variant.label)
            cells.append(_ratio_interval(ratio.ratio) if ratio else "1")
        rows.append([Cell(text) for text in cells])
    first = results[0][1]
    tokens = f", {first.tokens:,} tokens" if first.tokens is not None else ""
    subtitle = f"{first.texts} texts{tokens} · {len(first.rounds)} rounds ({first.digest[:8]})"
    compared = [ratio for ratio in bench.ratios if ratio.workload == name]
    labels = frozenset(variant.label for variant, _ in results)
    return Table(name, subtitle, header, rows, _verdicts(results, compared), names=labels)


def _workload_cells(label: str, result: WorkloadResult) -> list[str]:
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


def _curve_table(bench: Bench, names: Sequence[str]) -> Table:
    """Return the table of throughput by texts per call: one short try each, without intervals."""
    results = [
        (name, variant.label, result)
        for name in names
        for variant in bench.variants
        for result in variant.workloads
        if result.workload == name
    ]
    sizes = sorted({point.texts_per_call for *_, result in results for point in result.batch_curve})
    rows = []
    for name, label, result in results:
        speeds = {point.texts_per_call: point.texts_per_second for point in result.batch_curve}
        texts = [f"{speeds[size]:.0f}" if size in speeds else _UNKNOWN for size in sizes]
        rows.append([Cell(f"{name} · {label}"), *(Cell(text) for text in texts)])
    subtitle = "texts/s by texts per call: one short try each"
    labels = frozenset(row[0].text for row in rows)
    return Table("batch curve", subtitle, ["", *map(str, sizes)], rows, names=labels)


def _verdicts(results: Sequence[tuple[VariantResult, WorkloadResult]], ratios: Sequence[Ratio]) -> list[str]:
    """Return remarks on noisy or unsettled results, and on the ratios."""
    remarks = []
    for variant, result in results:
        if result.verdict != "measured":
            spread = f"rounds of {_round_range(result)}, ±{result.texts_per_second.half_width:.0%}"
            remarks.append(f"{variant.label}: too noisy to say: {spread}{_others_text(result.surroundings)}")
        elif not result.settled:
            remarks.append(f"{variant.label}: not settled after {len(result.warm_up)} rounds of warm-up")
    return [*remarks, *map(_ratio_text, ratios)]


_WORDS = {
    "faster": "faster than",
    "slower": "slower than",
    "no difference seen": "no difference seen from",
    "too noisy to say": "too noisy to say against",
}


def _ratio_text(ratio: Ratio) -> str:
    noisy = ratio.comparison == "too noisy to say"
    why = f", ±{ratio.ratio.half_width:.0%} is more than {NOISY:.0%}" if noisy else ""
    by_cpu = f"; by processor time {_ratio_interval(ratio.cpu_ratio)}" if noisy and ratio.cpu_ratio else ""
    rounds = f"{ratio.rounds} rounds side by side{why}"
    return f"{ratio.label}: {_WORDS[ratio.comparison]} {ratio.against} ({rounds}){by_cpu}"


def _noise_floor(ratio: Ratio) -> str:
    holds = "contains 1" if ratio.ratio.low <= 1 <= ratio.ratio.high else "does NOT contain 1"
    interval = _interval(ratio.ratio, "{:.3f}")
    return f"noise floor, {ratio.workload}: {ratio.against} against itself {interval}, {holds}"


def _machine_load(bench: Bench) -> list[str]:
    """Return the load by other processes and by the hypervisor, and the load average."""
    loads = [result.surroundings for variant in bench.variants for result in variant.workloads]
    shares = [load.others for load in loads if load.others is not None]
    steals = [load.steal for load in loads if load.steal is not None]
    sentences = []
    if shares and max(shares) >= _MUCH:
        most = f"; still running: {', '.join(bench.competitors)}" if bench.competitors else ""
        span = f"{min(shares):.0%} to {max(shares):.0%}"
        sentences.append(f"other processes used {span} of all cores during the rounds{most}")
    elif shares:
        sentences.append(f"other processes used at most {max(shares):.0%} of all cores during the rounds")
    if steals and max(steals) >= _MUCH / 5:
        sentences.append(f"the hypervisor took up to {max(steals):.0%} of all cores during the rounds")
    averages = [
        average for load in loads for average in (load.load_before, load.load_after) if average is not None
    ]
    if averages:
        sentences.append(f"load average {min(averages):.1f} to {max(averages):.1f}")
    return sentences


def _ceilings(bench: Bench) -> list[str]:
    sentences = []
    for variant in bench.variants:
        tries = variant.ceiling.tries if variant.ceiling else ()
        if tries and min(tries) < _CEILING_APART * max(tries):
            span = f"{min(tries):,.0f} to {max(tries):,.0f} GFLOP/s"
            sentences.append(f"{variant.label}: the matmul ceiling varied from {span}; the highest is used")
    return sentences


def _others_text(load: Surroundings) -> str:
    return "" if load.others is None else f"; other processes used {load.others:.0%} of all cores"


def _round_range(result: WorkloadResult) -> str:
    milliseconds = [1000 * each.wall for each in result.rounds]
    return f"{_number(min(milliseconds))} to {_number(max(milliseconds))} ms"


def _cores(result: WorkloadResult) -> float:
    """Return the cores used: processor time over wall time."""
    return sum(each.cpu for each in result.rounds) / sum(each.wall for each in result.rounds)


def _speed(estimate: SpeedEstimate) -> str:
    """Write texts per second, in thousands from 10,000 on."""
    if estimate.value >= 10_000:
        thousands = replace(
            estimate, value=estimate.value / 1e3, low=estimate.low / 1e3, high=estimate.high / 1e3
        )
        return _interval(thousands, "{:.1f}k")
    return _interval(estimate, "{:.0f}" if estimate.value >= 10 else "{:.2f}")


def _interval(estimate: SpeedEstimate, form: str) -> str:
    value, low, high = (form.format(number) for number in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def _ratio_interval(ratio: SpeedEstimate) -> str:
    return _interval(ratio, "{:.2f}" if ratio.value < 10 else "{:.1f}" if ratio.value < 100 else "{:.0f}")


def _latency(latency: Latency | None) -> str:
    if latency is None:
        return _UNKNOWN
    return " ".join(_number(value) for value in (latency.p50, latency.p95, latency.p99))


def _number(value: float | None) -> str:
    """Write a number with about three significant digits."""
    if value is None:
        return _UNKNOWN
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 0.1 else f"{1000 * value:.0f} ms"


def _megabytes(count: int | None) -> str:
    return _UNKNOWN if count is None else f"{count / 1e6:.0f} MB"
