"""Units that tasks have in common: those that chose a candidate must not confirm it."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.render import plural, verb
from harness.results.prediction_files import read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np

    from harness.comparison.sources import ModelResults, Slot
    from harness.results.prediction_files import TaskResult

HINT = "examples that chose a candidate flatter it: confirm on others"
MOST_SHARED = 0.5
"""Share of the units of a task that confirms above which it is refused, not warned about."""

_NOT_TEXTS = frozenset({"id", "cluster", "gold", "predicted"})
_MOST_DISTINCT = 0.5
"""Share of the rows of a column that must be distinct for its cells to tell examples apart.

A label or a hypothesis that many documents share does not.
"""
_NUMBERED = re.compile(r"[A-Za-z]*[-_ ]?\d+", re.ASCII)
"""Names that rows of any data may have by their position: `17`, `c17`, `row-17`."""


@dataclass(frozen=True, slots=True)
class _Units:
    """The units of a task, and what tells whether units of one name are one."""

    units: Mapping[str, Sequence[int]]
    """Name of a unit, its cluster or else its id → its rows."""
    ids: Sequence[str]
    """(n,): id of each example."""
    rows: Mapping[str, int]
    """Id of an example → its row."""
    clustered: bool
    texts: Sequence[np.ndarray]
    """(n,) each: columns whose texts tell examples apart; none if texts were not kept."""

    def texts_of(self, rows: Iterable[int]) -> set[str]:
        own = [*rows]
        return {str(column[row]) for column in self.texts for row in own}


def confirm_faults(
    baseline: ModelResults, select_on: Iterable[str], confirm_on: Iterable[str]
) -> tuple[str, ...]:
    """Return a warning for each two tasks of which one selects and one confirms that share units.

    Units are clusters, else examples. Those of one name, or with examples of one id, are one unit. Names of
    which all are numbered, such as `17` and `c17`, say nothing where both tasks have texts: a text must then
    be the same. Raises HarnessError where a task does both, where two have the same rows, and where
    more than half of the units that confirm select too; numbered names without texts are warned about.
    Predictions that cannot be read share nothing: the comparison says that they are broken.
    """
    selecting, confirming = sorted(set(select_on)), sorted(set(confirm_on))
    if both := sorted({*selecting} & {*confirming}):
        raise HarnessError(f"--select-on and --confirm-on share {', '.join(both)}", hint=HINT)
    own, other = ([*_slots(baseline, tasks)] for tasks in (selecting, confirming))
    _refuse_equal_rows(baseline, own, other)
    units = {slot: found for slot in (*own, *other) if (found := _units(baseline.answered[slot]))}
    warnings = (
        _fault(one[0], units[one], two[0], units[two])
        for one, two in itertools.product(own, other)
        if one in units and two in units
    )
    return tuple(dict.fromkeys(warning for warning in warnings if warning))


def _slots(model: ModelResults, tasks: Sequence[str]) -> Iterator[Slot]:
    yield from sorted((slot for slot in model.answered if slot[0] in tasks), key=repr)


def _refuse_equal_rows(model: ModelResults, own: Sequence[Slot], other: Sequence[Slot]) -> None:
    digests = {slot: model.answered[slot].evaluation.examination.digest for slot in (*own, *other)}
    for one, two in itertools.product(own, other):
        if digests[one] == digests[two] and digests[one]:
            raise HarnessError(
                f"{one[0]} and {two[0]} have the same examples (digest {digests[one][:8]})", hint=HINT
            )


def _units(result: TaskResult) -> _Units | None:
    """Return the units of a task by a model's predictions; None where these cannot be read."""
    with suppress(HarnessError):
        table = read_table(result)
        clustered = "cluster" in table
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(table["cluster" if clustered else "id"].tolist()):
            rows.setdefault(str(name), []).append(row)
        ids = [*map(str, table["id"].tolist())]
        answers = {name for score in result.evaluation.scores for name in score.columns}
        texts = [
            column
            for name, column in table.items()
            if name not in _NOT_TEXTS | answers and _tells_apart(column)
        ]
        return _Units(rows, ids, {name: row for row, name in enumerate(ids)}, clustered, texts)
    return None


def _tells_apart(column: np.ndarray) -> bool:
    """Whether a column holds texts, most of which are distinct."""
    if column.dtype != object or not all(isinstance(cell, str) for cell in column):
        return False
    return len(set(column.tolist())) > _MOST_DISTINCT * len(column)


def _fault(selects: str, chosen: _Units, confirms: str, units: _Units) -> str | None:
    """Return what two tasks share, as a warning; raises HarnessError where that is too much."""
    names = {name: found for name in units.units if (found := _names_in_common(name, units, chosen))}
    numbered = {name for name, found in names.items() if all(map(_NUMBERED.fullmatch, found))}
    known = bool(chosen.texts and units.texts)
    shared = [
        name
        for name in names
        if name not in numbered
        or not known
        or units.texts_of(units.units[name]) & chosen.texts_of(_rows(names[name], chosen))
    ]
    if not shared:
        return None
    have = plural(len(units.units), "cluster" if units.clustered else "example")
    are = verb(len(shared), "is", "are")
    what = f"{len(shared):,} of the {have} of {confirms} {are} in {selects} too, such as {min(shared)}"
    if not known and all(_NUMBERED.fullmatch(found) for name in shared for found in names[name]):
        return f"{what}, by name: if they are not named alike by chance, they flatter the winner here"
    if len(shared) > MOST_SHARED * len(units.units):
        raise HarnessError(f"--select-on and --confirm-on share examples: {what}", hint=HINT)
    return f"{what}: what chose the winner flatters it here"


def _names_in_common(name: str, units: _Units, chosen: _Units) -> set[str]:
    """Return the names of a unit, its own and the ids of its examples, that another task has too."""
    own = {units.ids[row] for row in units.units[name]}
    return (own & chosen.rows.keys()) | ({name} & chosen.units.keys())


def _rows(names: Iterable[str], chosen: _Units) -> Iterator[int]:
    for name in names:
        yield from chosen.units.get(name, ())
        if name in chosen.rows:
            yield chosen.rows[name]
