"""What a kept card itself says: which findings are true of it although no fault was put into it.

The card is read here by patterns of its text, apart from the reader and the checks that are judged.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = re.compile(r"^\| Epoch.*\n\|[-:| ]+\n((?:\|.*\n)+)", re.MULTILINE)
_NO_SCORES = ("Epoch", "Step", "Training Loss", "Validation Loss")
_REPORTED = re.compile(r"- type: (\S+)\n +value: (-?[\d.]+(?:e-?\d+)?)\n")
_KEPT = "- `load_best_model_at_end`: True"
CEILING, LOST = 0.999, 0.03
"""Minimum of scores at their ceiling, and minimum distance of the kept score from the best one."""


def true_of_card(code: str, text: str) -> bool:
    """Whether a finding is true by the card's log and scores; False for codes that only a fault explains."""
    rule = _RULES.get(code)
    return rule is not None and rule(text)


def ranks_in_reverse(text: str) -> bool:
    """Whether a reported score shows that the model ranks in reverse.

    A correlation below 0, or an average precision far below the share of positives, which is at least
    1 − accuracy.
    """
    scores = {metric: float(value) for metric, value in _REPORTED.findall(text)}
    if "cosine_ap" in scores:
        return scores["cosine_ap"] < 1 - scores["cosine_accuracy"] - 0.1
    return scores.get("spearman_cosine", 0.0) < 0


def _columns(text: str) -> dict[str, list[float]]:
    """Return the scores of the log by their column, in the order of its lines."""
    match = _LOG.search(text)
    if match is None:
        return {}
    lines = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in match[0].splitlines()]
    columns = dict(zip(lines[0], zip(*lines[2:], strict=True), strict=True))
    return {
        name: [float(cell) for cell in cells if cell not in ("-", "")]
        for name, cells in columns.items()
        if name not in _NO_SCORES
    }


def _at_ceiling(text: str) -> bool:
    """Whether all scores of the log, of at least two evaluations, are at the ceiling."""
    columns = list(_columns(text).values())
    return bool(columns) and all(
        len(cells) > 1 and min(cells) >= CEILING * _scale(cells) for cells in columns
    )


def _scale(cells: list[float]) -> float:
    """Return 100 where scores are in percent, else 1."""
    return 100.0 if max(map(abs, cells), default=0.0) > 2 else 1.0


def _best_lost(text: str) -> bool:
    """Whether an evaluation of the log is well above the reported score, and the best weights were not kept.

    A score that is reported twice is the last one of the log.
    """
    columns = _columns(text)
    if _KEPT in text or not columns:
        return False
    name, cells = next(iter(columns.items()))
    reported = [float(value) for metric, value in _REPORTED.findall(text) if name.endswith(f"_{metric}")]
    kept = reported[0] if len(reported) == 1 else cells[-1]
    return max(cells) - kept >= LOST * _scale(cells)


_RULES: dict[str, Callable[[str], bool]] = {
    "evaluation-at-ceiling": _at_ceiling,
    "best-not-kept": _best_lost,
}
"""Code → whether it is true of a card."""
