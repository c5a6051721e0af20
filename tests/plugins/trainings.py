"""Trainings to be checked for what the check `loss` finds: from their parts, or from a card's text."""

from __future__ import annotations

from harness.training.cards.reader import read_card
from harness.training.check_input import CheckInput, ColumnFacts, LogEntry
from harness.training.recipe import Loss
from harness_train.loss import LOSS


def training(name="CosineSimilarityLoss", *, losses=(), every=100, **changes) -> CheckInput:
    """A training of 4,000 rows in batches of 16 over 2 epochs: 500 steps."""
    parameters = {key: changes.pop(key) for key in ("distance", "margin", "matryoshka") if key in changes}
    log = [LogEntry(epoch=n * every / 250, step=n * every, loss=loss) for n, loss in enumerate(losses, 1)]
    known = {"size": 4000, "batch_size": 16, "epochs": 2.0, "log": tuple(log), "normalized": True}
    loss = Loss(name=name, **parameters)
    return CheckInput(path="it", what="recipe", loss=loss, loss_name=name, **(known | changes))


def found(given) -> dict[str, str]:
    return {finding.code: finding.evidence for finding in LOSS.look(given)}


def of_card(text, tmp_path) -> dict[str, str]:
    (tmp_path / "any name.md").write_text(text, encoding="utf-8")
    return found(read_card(tmp_path / "any name.md").check_input)


def columns(*types, **bounds) -> tuple[ColumnFacts, ...]:
    return tuple(
        ColumnFacts(name=name, type=type_, **(bounds if name == "label" else {}))
        for name, type_ in (one.split(":") for one in types)
    )
