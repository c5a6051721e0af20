"""Check that type, number and order of the columns fit the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import Finding, Severity
from harness.training import LOSSES, ROW_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.training import CheckInput, Rows

_LABELS = ("label", "labels", "score", "scores")
"""Names of the label column in sentence-transformers, in any position."""

_POSITIONS = {
    "anchor": 0, "positive": 1, "negative": 2, "query": 0, "question": 0, "answer": 1, "response": 1,
    "passage": 1, "hypothesis": 0, "entailment": 1, "contradiction": 2,
}  # fmt: skip
"""Name of a column → its position for a loss; mostly from the list of sentence-transformers.

`hypothesis` comes first only before `entailment` or `contradiction`: after a premise it is the second.
"""

MOSTLY = 0.9
"""Minimum share of cells that makes a column one of numbers, or of texts."""


def check_columns(training: CheckInput) -> Iterator[Finding]:
    """Find columns of the wrong type, number or order, from a card or from rows."""
    if training.loss_name not in LOSSES:
        return
    if training.columns:
        yield from _of_card(training)
    elif training.rows is not None:
        yield from _of_rows(training.rows, training.loss_name)


def _of_card(training: CheckInput) -> Iterator[Finding]:
    name, facts = training.loss_name, LOSSES[training.loss_name]
    label = next((column for column in training.columns if column.name in _LABELS), None)
    inputs = [column for column in training.columns if column is not label]
    shown = ", ".join(f"{column.name} ({column.type})" for column in training.columns)
    remedy = f"{name} takes {' or '.join(_order(kind) for kind in (facts.kind, *facts.also))}, in this order."
    faults = [
        f"{column.name} is in the position of a text but has type {column.type}"
        for column in inputs
        if _is_number(column.type)
    ]
    counts = {len(ROW_KINDS[kind]) - _labeled(kind) for kind in (facts.kind, *facts.also)}
    # In-batch losses take any number of hard negatives after the positive.
    if len(inputs) not in counts and not (facts.in_batch and len(inputs) > 1):
        faults.append(f"there are {len(inputs)} columns of texts")
    if _labeled(facts.kind) and label is None:
        faults.append("none is called label or score")
    unread = label if label is not None and not _labeled(facts.kind) else None
    if unread is not None and unread.low is not None and unread.high is not None and unread.low < unread.high:
        severity = Severity.ERROR if unread.low <= 0 and unread.high == 1 else Severity.WARNING
        evidence = (
            f"{name} was given {shown}: {unread.name} goes from {unread.low:g} to {unread.high:g}, but the"
            " loss does not read it: rows of every label count as positives."
        )
        yield _finding(evidence, remedy, severity)
    if label is not None and facts.kind in ("scored-pairs", "labeled-pairs") and label.type == "string":
        faults.append(f"{label.name} holds texts, not numbers")
    if faults:
        yield _finding(f"{name} was given {shown}: {'; '.join(faults)}.", remedy)
    elif facts.in_batch or facts.kind == "triplets":
        yield from _order_of_names([column.name for column in inputs], name, remedy)


def _order_of_names(names: Sequence[str], loss: str, remedy: str) -> Iterator[Finding]:
    misplaced = [
        f"{name} is in position {position}, not {_POSITIONS[name] + 1}"
        for position, name in enumerate(names, 1)
        if name in _POSITIONS
        and _POSITIONS[name] + 1 != position
        and not (name == "hypothesis" and "premise" in names)
    ]
    if misplaced:
        # Of a pair, each text can be the query: the others' anchors are the negatives then.
        severity = Severity.NOTE if len(names) == 2 else Severity.WARNING
        evidence = f"Columns are used by order, not by name, and {loss} was given {', '.join(names)}:"
        yield _finding(f"{evidence} {'; '.join(misplaced)}.", remedy, severity)


def _of_rows(rows: Rows, loss: str) -> Iterator[Finding]:
    """Find numbers in the position of a text, and texts in the position of the label."""
    faults = [
        f"column {name} is in the position of a text, but {share:.0%} of its cells are numbers, such as"
        f" {example!r}"
        for name, cells in rows.texts.items()
        for share, example in [_share(cells, numbers=True)]
        if share >= MOSTLY
    ]
    if rows.labels is not None and rows.kind != "labeled-texts":
        share, example = _share(rows.labels, numbers=False)
        # A few words for labels are `labels-not-numbers`; texts that hardly recur are another column.
        if share >= MOSTLY and (faults or len(set(map(str, rows.labels))) > len(rows) / 2):
            faults.append(
                f"column {ROW_KINDS[rows.kind][-1]} is in the position of the label, but {share:.0%} of its"
                f" cells are texts, such as {str(example)[:40]!r}"
            )
    if faults:
        remedy = f"{loss} takes {_order(rows.kind)}: name the file's columns with --column OURS=THEIRS."
        yield _finding(f"{rows.source or 'The data'}: {'; '.join(faults)}.", remedy)


def _share(cells: Sequence[Any], *, numbers: bool) -> tuple[float, Any]:
    """Return the share of filled cells that are numbers, or texts that are not; and the first of them."""
    filled = [cell for cell in cells if cell is not None and cell != ""]
    chosen = [cell for cell in filled if _is_numeric(cell) == numbers and (numbers or isinstance(cell, str))]
    return (len(chosen) / len(filled), chosen[0]) if chosen else (0.0, None)


def _is_numeric(cell: Any) -> bool:  # noqa: ANN401 - a cell of any file
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _is_number(type_: str) -> bool:
    return type_.startswith(("float", "int", "uint", "double", "bool"))


def _labeled(kind: str) -> bool:
    return ROW_KINDS[kind][-1] in _LABELS


def _order(kind: str) -> str:
    return ", ".join(ROW_KINDS[kind])


def _finding(evidence: str, remedy: str, severity: Severity = Severity.ERROR) -> Finding:
    return Finding("wrong-columns", severity, evidence, remedy)
