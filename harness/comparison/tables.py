"""Comparisons as grids for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.flip_tables import GAIN, counted, gain_text, p_value, why_grids
from harness.models.locate import display_names
from harness.render import Cell, Table, escaped, number, to_markdown
from harness.results.tables import ILLUSTRATIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.comparison.result import (
        Comparison,
        Difference,
        GateLine,
        MetricComparison,
        ParetoPoint,
        Refusal,
        Verdict,
    )

_MIRRORED: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}


def comparison_grids(comparison: Comparison) -> list[Table]:
    """Lay out what was found, what could have been, the gate, and why."""
    return [*_answer_grids(comparison), *why_grids(comparison)]


def matrix_grids(comparisons: Sequence[Comparison]) -> list[Table]:
    """Lay out every pair's gain: a grid for each task and metric, candidates by baselines.

    A pair that was compared one way is shown both ways.
    """
    parties = dict.fromkeys(
        (party.name, party.fingerprint)
        for comparison in comparisons
        for party in (comparison.baseline, comparison.candidate)
    )
    names = display_names(list(parties))
    cells: dict[tuple[str, str, str], dict[tuple[str, str], Cell]] = {}
    titles: dict[tuple[str, str, str], str] = {}
    for comparison in comparisons:
        pair = _shown_names(comparison, names)
        for line in comparison.lines:
            place = line.task, line.metric, line.data
            titles[place] = _name(line, comparison.lines)
            cells.setdefault(place, {}).update(_both_ways(line, *pair))
    laid_out = [
        Table(
            titles[place],
            f"by {place[1]} · gain of the row over the column",
            ["", *names.values()],
            _matrix(list(names.values()), cells[place]),
            _illustrative(place[0]) if place[2] == "sample" else [],
        )
        for place in cells
    ]
    return [*laid_out, *_what_is_lacking(comparisons, names)]


def front_grid(standings: Sequence[ParetoPoint]) -> Table:
    """Lay out quality beside speed; models that no other one beats at both are bold."""
    tasks = max((one.tasks for one in standings), default=0)
    return Table(
        "quality and speed",
        f"mean headline score over {_plural(tasks, 'task')} that all were asked alike",
        ["model", "quality", "texts/s", "beaten at both"],
        [
            [
                Cell(one.model, best=one.on_front),
                Cell(f"{one.quality:.4f}", best=one.on_front),
                Cell(number(one.texts_per_second, ",.0f")),
                Cell("?" if one.texts_per_second is None else "no" if one.on_front else "yes"),
            ]
            for one in standings
        ],
    )


def markdown(
    comparisons: Sequence[Comparison],
    *,
    title: str = "",
    matrix: bool = False,
    front: Sequence[ParetoPoint] = (),
) -> str:
    """Write comparisons for a pull-request comment: the answers, then the tables; reasons are folded away.

    matrix: the tables of `matrix_grids` in place of each comparison's own.
    """
    parts = [f"## {escaped(title)}\n"] if title else []
    answers = [f"**{escaped(one.sentence)}**" for one in comparisons if one.sentence.strip()]
    if answers:
        bullet = "- " if len(answers) > 1 else ""
        parts.append("".join(f"{bullet}{answer}\n" for answer in answers))
    if matrix:
        parts += [to_markdown([grid]) for grid in matrix_grids(comparisons)]
    else:
        parts += [part for one in comparisons for part in _sections(one)]
    if front:
        parts.append(to_markdown([front_grid(front)]))
    return "\n".join(parts)


def _sections(comparison: Comparison) -> Iterator[str]:
    answer, *further = _answer_grids(comparison)
    yield to_markdown([answer])
    yield from (f"#{to_markdown([grid])}" for grid in further)
    if grids := why_grids(comparison):
        lines = f"Why: {_plural(len(comparison.changes), 'line')} in detail"
        yield f"<details>\n<summary>{lines}</summary>\n\n{to_markdown(grids)}\n</details>\n"


def _answer_grids(comparison: Comparison) -> list[Table]:
    baseline, candidate = _shown_names(comparison)
    lines = comparison.lines
    answer = Table(
        f"{candidate} against {baseline}",
        "gain = candidate − baseline; p corrected over all lines (Holm)",
        ["task", "baseline", "candidate", GAIN, "p", "verdict"],
        [_row(line, label) for line, label in zip(lines, _labels(lines), strict=True)],
        list(_remarks(comparison)),
    )
    return [
        answer,
        *([_power_grid(lines)] if lines else []),
        *([_gate_grid(comparison)] if comparison.gate else []),
    ]


def _row(line: MetricComparison, label: str) -> list[Cell]:
    better = line.verdict == "better"
    return [
        Cell(label),
        Cell(number(line.baseline)),
        Cell(number(line.candidate)),
        Cell(gain_text(line.gain, line.low, line.high), best=better),
        Cell(p_value(line.p_holm)),
        Cell(_verdict(line), best=better),
    ]


def _power_grid(lines: Sequence[MetricComparison]) -> Table:
    """What these examples could have shown: a column stands only where a line has something to say in it."""
    labeled = list(zip(lines, _labels(lines), strict=True))
    columns = {
        "task": ["" if label.startswith("·") else _task(line, lines) for line, label in labeled],
        "metric": [line.metric for line in lines],
        "test": [line.test for line in lines],
        "examples": [counted(line.examples, line.clusters) for line in lines],
        "detectable": [number(line.detectable) for line in lines],
        "margin": [number(line.margin, "g") for line in lines],
        "needed": [number(line.needed, ",") for line in lines],
        "from seeds": [number(line.from_seeds, ".0%") for line in lines],
    }
    always = {"task", "metric", "test", "examples", "detectable"}
    kept = {name: cells for name, cells in columns.items() if name in always or {*cells} != {"–"}}
    remarks = []
    clustered = [counted(line.examples, line.clusters) for line in lines if line.clusters != line.examples]
    if clustered:
        remarks.append(f"{clustered[0]}: so many examples in so many clusters, which are resampled whole")
    if "needed" in kept:
        remarks.append("needed: examples that show a true gain as large as the margin so")
    if "from seeds" in kept:
        remarks.append("from seeds: share of the gain's variance that comes from training seeds")
    rows = [[Cell(text) for text in row] for row in zip(*kept.values(), strict=True)]
    subtitle = "detectable: the smallest true gain that is seen with 80 % power"
    return Table("what these examples could show", subtitle, list(kept), rows, remarks)


def _gate_grid(comparison: Comparison) -> Table:
    gate, lines = comparison.gate, comparison.lines
    held = sum(one.holds for one in gate)
    return Table(
        "gate",
        f"conditions that hold: {held} of {len(gate)}",
        ["condition", "outcome", "figures"],
        [
            # Bold is what a reader looks for, which in a gate is what fails.
            [Cell(_condition(one, lines)), Cell(_outcome(one, lines), best=not one.holds), Cell(one.sentence)]
            for one in gate
        ],
        numeric=False,
    )


def _condition(one: GateLine, lines: Sequence[MetricComparison]) -> str:
    if one.rule == "throughput":
        return f"throughput ≥ {one.threshold:g} × baseline"
    demand = {"margin": "loss <", "gain": "gain >", "min": "score ≥"}[one.rule]
    line = _line_of(one, lines)
    by = f" · {one.metric}" if one.metric and not (line and line.headline) else ""
    return f"{one.task or 'every task'}{by}: {demand} {one.threshold:g}"


def _outcome(one: GateLine, lines: Sequence[MetricComparison]) -> str:
    if not one.holds:
        return f"FAILS: {one.outcome}"
    if one.outcome == "inconclusive":
        return "inconclusive, let pass"
    line = _line_of(one, lines)
    # Significantly worse, but by less than was agreed to: that passes, and must be seen to.
    return "passes, though worse" if line is not None and line.verdict == "worse" else "passes"


def _line_of(one: GateLine, lines: Sequence[MetricComparison]) -> MetricComparison | None:
    return next((line for line in lines if (line.task, line.metric) == (one.task, one.metric)), None)


def _remarks(comparison: Comparison) -> Iterator[str]:
    """What a reader of the table must know, the gravest first."""
    yield from _warnings(comparison)
    yield from _reasons(comparison.lines)
    samples = dict.fromkeys(line.task for line in comparison.lines if line.data == "sample")
    if samples:
        yield from _illustrative(", ".join(samples))
    for party in (comparison.baseline, comparison.candidate):
        if party.members:
            yield f"{party.name}: one recipe, trained with several seeds: {', '.join(party.members)}"
    if comparison.forgetting:
        yield comparison.forgetting.sentence
    if speed := comparison.speed:
        yield (
            f"speed: {speed.baseline:,.0f} → {speed.candidate:,.0f} texts/s, ratio {speed.ratio:.3g}"
            f" [{speed.low:.3g}, {speed.high:.3g}] ({speed.source})"
        )
    if comparison.settings:
        yield f"used differently (baseline / candidate): {_differences(comparison.settings)}"
    yield from comparison.notes


def _warnings(comparison: Comparison) -> Iterator[str]:
    """What takes from the worth of all figures, or leaves some out."""
    if comparison.allowed:
        yield f"ALLOWED by --allow, although it differs: {', '.join(comparison.allowed)}"
    yield from (f"MISSING OR BROKEN: {sentence}" for sentence in comparison.broken)
    yield from map(_refusal, comparison.refused)


def _refusal(refused: Refusal) -> str:
    keys = ",".join(dict.fromkeys(one.key for one in refused.differences))
    return (
        f"NOT COMPARED: {refused.task}, which was not asked alike (baseline / candidate):"
        f" {_differences(refused.differences)}; compare all the same with --allow {keys}"
    )


def _differences(differences: Iterable[Difference]) -> str:
    return "; ".join(f"{one.key} {one.baseline} / {one.candidate}" for one in differences)


def _reasons(lines: Sequence[MetricComparison]) -> Iterator[str]:
    """Why lines have no test or no interval; lines of one reason share a remark."""
    told: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        if line.reason:
            told.setdefault((line.verdict, line.reason), []).append(_name(line, lines))
    yield from (f"{', '.join(names)}: {verdict}: {reason}" for (verdict, reason), names in told.items())


def _illustrative(tasks: str) -> list[str]:
    return [f"{tasks}: {ILLUSTRATIVE}"]


def _both_ways(line: MetricComparison, baseline: str, candidate: str) -> dict[tuple[str, str], Cell]:
    """Cells by (row, column): the candidate over the baseline, and the other way round."""
    mirrored = _MIRRORED.get(line.verdict, line.verdict)
    lost = None if line.gain is None else -line.gain or 0.0
    return {
        (candidate, baseline): Cell(f"{gain_text(line.gain)} {line.verdict}", best=line.verdict == "better"),
        (baseline, candidate): Cell(f"{gain_text(lost)} {mirrored}", best=mirrored == "better"),
    }


def _matrix(names: Sequence[str], cells: dict[tuple[str, str], Cell]) -> list[list[Cell]]:
    nothing = Cell("–")
    return [[Cell(row), *(cells.get((row, column), nothing) for column in names)] for row in names]


def _what_is_lacking(comparisons: Sequence[Comparison], names: dict[tuple[str, str], str]) -> Iterator[Table]:
    """What no matrix has a cell for: pairs with something refused, broken or allowed."""
    rows = []
    for comparison in comparisons:
        baseline, candidate = _shown_names(comparison, names)
        pair = f"{candidate} against {baseline}"
        rows += [[Cell(pair), Cell(text)] for text in _warnings(comparison)]
    if rows:
        yield Table("what to know of these pairs", "", ["pair", "what"], rows, numeric=False)


def _shown_names(comparison: Comparison, names: dict[tuple[str, str], str] | None = None) -> tuple[str, str]:
    """Names of baseline and candidate, told apart where they are the same."""
    keys = [(one.name, one.fingerprint) for one in (comparison.baseline, comparison.candidate)]
    names = names or display_names(keys)
    return names[keys[0]], names[keys[1]]


def _labels(lines: Sequence[MetricComparison]) -> list[str]:
    """Names of lines that stand below each other: a further metric of a task does not repeat the task."""
    labels = []
    for place, line in enumerate(lines):
        above = lines[place - 1] if place else None
        follows = above is not None and (above.task, above.data) == (line.task, line.data)
        labels.append(f"· {line.metric}" if follows and not line.headline else _name(line, lines))
    return labels


def _name(line: MetricComparison, lines: Sequence[MetricComparison]) -> str:
    """The task, and its metric where that is not the headline."""
    task = _task(line, lines)
    return task if line.headline else f"{task} · {line.metric}"


def _task(line: MetricComparison, lines: Sequence[MetricComparison]) -> str:
    """The task, and its data where it was asked of two kinds."""
    kinds = {other.data for other in lines if other.task == line.task}
    return f"{line.task} ({line.data})" if len(kinds) > 1 else line.task


def _verdict(line: MetricComparison) -> str:
    within = line.within_margin and line.verdict in ("worse", "inconclusive")
    # A terminal breaks the line here, and not inside of figures for want of width.
    return f"{line.verdict},\nwithin the margin" if within else line.verdict


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
