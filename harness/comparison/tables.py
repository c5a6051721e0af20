"""Tables of a comparison: scores and verdicts, detectable gains, the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import flip_tables, gain_header, gain_text, p_value
from harness.comparison.looks import looks_remarks
from harness.comparison.notes import clusters_text, doubts, far_below, gate_level, levels_in_words
from harness.comparison.thresholds import tasks_in_words
from harness.models.locate import display_names
from harness.render import MISSING, number, percent
from harness.results.tables import ILLUSTRATIVE
from harness.stats.multiple import METHOD
from harness.table import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from harness.comparison.result import (
        Comparison,
        Difference,
        GateLine,
        MetricComparison,
        Refusal,
        Speed,
    )


def comparison_tables(comparison: Comparison, said: Collection[str] = ()) -> list[Table]:
    """Return all tables of a comparison, those of `--why` last; said: remarks that are said elsewhere."""
    return [*answer_tables(comparison, said), *flip_tables(comparison)]


def answer_tables(comparison: Comparison, said: Collection[str] = ()) -> list[Table]:
    """Return the tables of scores and verdicts, of what could have been found, and of the gate.

    said: remarks that are said elsewhere, once for all comparisons of a command.
    """
    baseline, candidate = shown_names(comparison)
    lines = comparison.lines
    answer = Table(
        f"{candidate} against {baseline}",
        levels_in_words(comparison.tests, comparison.level, comparison.candidates),
        ["task", "baseline", "candidate", gain_header(comparison.level), "p", "verdict"],
        [_row(line, label) for line, label in zip(lines, _labels(lines), strict=True)],
        [remark for remark in _remarks(comparison) if remark not in said],
        # The interval says what p says, and a baseline is its candidate less the gain.
        optional=("p", "baseline", "candidate"),
    )
    return [
        answer,
        *([_power_table(lines, comparison.tests)] if lines else []),
        *([_gate_table(comparison)] if comparison.gate else []),
    ]


def _row(line: MetricComparison, label: str) -> list[Cell]:
    better = line.verdict == "better"
    return [
        Cell(label),
        Cell(number(line.baseline)),
        Cell(number(line.candidate)),
        Cell(gain_text(line.gain, line.low, line.high), best=better),
        Cell(p_value(line.p_adjusted)),
        Cell(_verdict(line), best=better),
    ]


def _power_table(lines: Sequence[MetricComparison], tests: int) -> Table:
    """Return the table of detectable gains; optional columns are left out if no line has a value."""
    labeled = list(zip(lines, _labels(lines), strict=True))
    columns = {
        "task": ["" if label.startswith("·") else _task(line, lines) for line, label in labeled],
        "metric": [line.metric for line in lines],
        "test": [line.test for line in lines],
        "examples": [clusters_text(line) for line in lines],
        "detectable": [number(line.detectable) for line in lines],
        "margin": [number(line.margin, "g") for line in lines],
        "needed": [number(line.needed, ",") for line in lines],
        "from seeds": [MISSING if line.from_seeds is None else percent(line.from_seeds) for line in lines],
    }
    always = {"task", "metric", "test", "examples", "detectable"}
    kept = {name: cells for name, cells in columns.items() if name in always or {*cells} != {"–"}}
    remarks = []
    clustered = [line for line in lines if line.clusters != line.examples]
    if clustered:
        uneven = [line for line in clustered if far_below(line)]
        shown = clusters_text([*uneven, *clustered][0])
        equal = ", and of equal clusters that would tell as much" if uneven else ""
        remarks.append(f"{shown}: number of examples, of their clusters, which are the units{equal}")
    remarks += _without_detectable(lines)
    if "needed" in kept:
        remarks.append("needed: about how many examples pass the line with 80 % if the models are equal")
    if "from seeds" in kept:
        remarks.append("from seeds: share of the gain's variance that comes from training seeds")
    if tests > 1:
        remarks.append(f"p corrected over {tests:,} lines: {METHOD}")
    rows = [[Cell(text) for text in row] for row in zip(*kept.values(), strict=True)]
    subtitle = "detectable: the smallest true gain that is called better with 80 % power"
    title = "what these examples could show"
    return Table(title, subtitle, list(kept), rows, remarks, optional=("test",))


def _without_detectable(lines: Sequence[MetricComparison]) -> Iterator[str]:
    """Yield why lines have no detectable gain."""
    named: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.too_few:
            named.setdefault((line.too_few, number(line.baseline)), []).append(line_name(line, lines))
    for (have, score), names in named.items():
        why = f"are too few to find a gain that a baseline of {score} leaves room for"
        yield f"{', '.join(names)}: {have} {why}"


def _gate_table(comparison: Comparison) -> Table:
    gate, lines = comparison.gate, comparison.lines
    count = sum(condition.holds for condition in gate)
    let_pass = sum(condition.let_pass for condition in gate)
    doubt = f" ({let_pass} undecided, let pass)" if let_pass else ""
    level = gate_level(comparison.level, comparison.candidates)
    return Table(
        "gate",
        f"conditions that hold: {count} of {len(gate)}{doubt}; {level}",
        ["condition", "outcome", "figures"],
        [
            # Bold marks what a reader looks for: failures.
            [
                Cell(_condition_text(condition, lines)),
                Cell(_outcome(condition, lines), best=not condition.holds),
                Cell(condition.sentence),
            ]
            for condition in gate
        ],
        numeric=False,
    )


def _condition_text(condition: GateLine, lines: Sequence[MetricComparison]) -> str:
    if condition.rule == "throughput":
        return f"throughput ≥ {condition.threshold:g} × baseline"
    demand = {"margin": "loss <", "gain": "gain >", "min": "score ≥"}[condition.rule]
    where = tasks_in_words(condition.task, condition.tag, condition.over)
    if condition.over:
        by = f" · {condition.metric}" if condition.metric else ""
        return f"{where}{by}: {demand} {condition.threshold:g}"
    line = _line_of(condition, lines)
    by = f" · {condition.metric}" if condition.metric and not (line and line.headline) else ""
    return f"{where}{by}: {demand} {condition.threshold:g}"


def _outcome(condition: GateLine, lines: Sequence[MetricComparison]) -> str:
    if not condition.holds:
        return condition.outcome.upper()
    if condition.let_pass:
        return "undecided, let pass"
    line = _line_of(condition, lines)
    # Significantly worse, but within the margin: it passes, and a reader must see it.
    return "passes, though worse" if line is not None and line.verdict == "worse" else "passes"


def _line_of(condition: GateLine, lines: Sequence[MetricComparison]) -> MetricComparison | None:
    key = condition.task, condition.metric
    return next((line for line in lines if (line.task, line.metric) == key), None)


def _remarks(comparison: Comparison) -> Iterator[str]:
    """Yield the remarks below the first table, the most serious first."""
    yield from warnings(comparison)
    yield from _reasons(comparison.lines)
    yield from doubts(comparison, [(line, line_name(line, comparison.lines)) for line in comparison.lines])
    samples = dict.fromkeys(line.task for line in comparison.lines if line.data == "sample")
    if samples:
        yield from illustrative_note(", ".join(samples))
    for model in (comparison.baseline, comparison.candidate):
        if model.members:
            yield f"{model.name}: one recipe, trained with several seeds: {', '.join(model.members)}"
    yield from (overall.sentence for overall in comparison.overall)
    if comparison.forgetting:
        yield comparison.forgetting.sentence
    if speed := comparison.speed:
        yield f"speed: {_speed(speed)}"
    if comparison.gate_plan:
        yield f"--power: {comparison.gate_plan.sentence}"
    if comparison.settings:
        yield f"settings differ (baseline / candidate): {_differences(comparison.settings)}"
    yield from comparison.notes
    yield from looks_remarks(comparison)


def _speed(speed: Speed) -> str:
    if speed.low is None or speed.high is None:
        return f"{speed.baseline:,.0f} → {speed.candidate:,.0f} texts/s, equal ({speed.source})"
    return (
        f"{speed.baseline:,.0f} → {speed.candidate:,.0f} texts/s, ratio {speed.ratio:.3g}"
        f" [{speed.low:.3g}, {speed.high:.3g}] ({speed.source})"
    )


def warnings(comparison: Comparison) -> Iterator[str]:
    """Yield what limits the figures: differences that were allowed, broken and refused results."""
    if comparison.allowed:
        yield f"ALLOWED to differ (--allow): {', '.join(comparison.allowed)}"
    yield from (f"MISSING OR BROKEN: {sentence}" for sentence in comparison.broken)
    yield from map(_refusal, comparison.refused)


def _refusal(refused: Refusal) -> str:
    keys = ",".join(dict.fromkeys(difference.key for difference in refused.differences))
    return (
        f"NOT COMPARED: {refused.task} differs (baseline / candidate):"
        f" {_differences(refused.differences)}; to compare anyway: --allow {keys}"
    )


def _differences(differences: Iterable[Difference]) -> str:
    return "; ".join(f"{each.key} {each.baseline} / {each.candidate}" for each in differences)


def _reasons(lines: Sequence[MetricComparison]) -> Iterator[str]:
    """Yield why lines have no test or no interval; lines with the same reason share a remark."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.reason:
            by_reason.setdefault((line.verdict, line.reason), []).append(line_name(line, lines))
    yield from (f"{', '.join(names)}: {verdict}: {reason}" for (verdict, reason), names in by_reason.items())


def illustrative_note(tasks: str) -> list[str]:
    """Return the remark on tasks whose data are a sample."""
    return [f"{tasks}: {ILLUSTRATIVE}"]


def shown_names(comparison: Comparison, names: dict[tuple[str, str], str] | None = None) -> tuple[str, str]:
    """Return distinct names of baseline and candidate. names: by name and fingerprint, in place of these."""
    keys = [(model.name, model.fingerprint) for model in (comparison.baseline, comparison.candidate)]
    names = names or display_names(keys)
    return names[keys[0]], names[keys[1]]


def _labels(lines: Sequence[MetricComparison]) -> list[str]:
    """Return labels of consecutive lines: a further metric of a task does not repeat the task."""
    labels = []
    for position, line in enumerate(lines):
        above = lines[position - 1] if position else None
        follows = above is not None and (above.task, above.data) == (line.task, line.data)
        labels.append(f"· {line.metric}" if follows and not line.headline else line_name(line, lines))
    return labels


def line_name(line: MetricComparison, lines: Sequence[MetricComparison]) -> str:
    """Return the task, and its metric if that is not the headline."""
    task = _task(line, lines)
    return task if line.headline else f"{task} · {line.metric}"


def _task(line: MetricComparison, lines: Sequence[MetricComparison]) -> str:
    """Return the task, and the source of its data if there are several."""
    kinds = {other.data for other in lines if other.task == line.task}
    return f"{line.task} ({line.data})" if len(kinds) > 1 else line.task


def _verdict(line: MetricComparison) -> str:
    within = line.within_margin and line.verdict in ("worse", "inconclusive")
    # The line break keeps a narrow terminal from breaking inside figures.
    return f"{line.verdict},\nwithin the margin" if within else line.verdict
