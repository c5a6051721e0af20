"""Trainings with scores, and what the check `evaluation` finds of them."""

from __future__ import annotations

from harness.training.cards.reader import read_card
from harness.training.check_input import CheckInput, Claim, LogEntry
from harness_train.evaluation import EVALUATION


def trained(*, scores=(), claims=(), **changes) -> CheckInput:
    """A training with a score of each epoch as `dev_m`, and claims of (metric, value) on `dev`."""
    log = [LogEntry(epoch=n, step=100 * n, metrics={"dev_m": score}) for n, score in enumerate(scores, 1)]
    made = [Claim(dataset="dev", metric=metric, value=value) for metric, value in claims]
    return CheckInput(
        **({"path": "it", "what": "card", "trained": True, "log": log, "claims": made} | changes)
    )


def findings(given) -> dict:
    return {finding.code: finding for finding in EVALUATION.look(given)}


def found(given) -> dict[str, str]:
    return {code: finding.evidence for code, finding in findings(given).items()}


def of_card(text, tmp_path) -> dict[str, str]:
    (tmp_path / "any name.md").write_text(text, encoding="utf-8")
    return found(read_card(tmp_path / "any name.md").check_input)
