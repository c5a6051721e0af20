"""Read the kept cards, and ask the checks about them and about copies with a fault."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.checks.card_faults import CARD_FAULTS
from benchmarks.checks.cards.truths import ranks_in_reverse
from benchmarks.checks.dataset import HALVES
from benchmarks.checks.measure import CLEAN, Answer, Asker
from harness.training.cards.reader import read_card

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent


INVERTED, INVERTED_UNSEEN = "card: labels inverted", "card: labels inverted, no score shows it"
"""Faults of the cards whose trainings had inverted labels: whether a reported score ranks in reverse."""


def cards() -> dict[str, str]:
    """Return name → text of every kept card of a sound training."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))}


def inverted_cards() -> dict[str, str]:
    """Return name → text of every kept card of a training with inverted labels."""
    files = sorted((FOLDER / "inverted").glob("*.md"))
    return {f"inverted-{file.stem}": file.read_text(encoding="utf-8") for file in files}


def changed_card(subject: str, fault: str) -> str | None:
    """Return the text that an answer is about: a kept card, with its fault; None for rows."""
    name = subject.removeprefix("card ")
    text = (cards() | inverted_cards()).get(name) if subject.startswith("card ") else None
    change = next((one.change for one in CARD_FAULTS if one.name == fault), None)
    return change(text) if text is not None and change is not None else text


def half_of(name: str) -> str:
    """Return the half of a card, by a hash of its name."""
    return HALVES[hashlib.sha256(name.encode()).digest()[0] % 2]


def ask_cards(asker: Asker, *, most: int | None = None) -> Iterator[Answer]:
    """Yield the answers to each card as it is, and with each fault that it can show.

    Then those to the cards of trainings with inverted labels.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in list(cards().items())[:most]:
            yield _ask(asker, Path(folder), name, text, CLEAN)
            for fault in CARD_FAULTS:
                changed = fault.change(text)
                if changed is not None and changed != text:
                    yield _ask(asker, Path(folder), name, changed, fault.name)
        for name, text in list(inverted_cards().items())[:most]:
            fault_name = INVERTED if ranks_in_reverse(text) else INVERTED_UNSEEN
            yield _ask(asker, Path(folder), name, text, fault_name)


def _ask(asker: Asker, folder: Path, name: str, text: str, fault: str) -> Answer:
    file = folder / f"{name}.md"
    file.write_text(text, encoding="utf-8")
    given = read_card(file).check_input
    return asker.look(given, f"card {name}", half_of(name), fault, 1.0 if fault != CLEAN else 0.0, "card")
