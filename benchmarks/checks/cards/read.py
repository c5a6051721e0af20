"""Read the kept cards, and ask the checks about them and about copies with a fault."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.checks.card_faults import CARD_FAULTS
from benchmarks.checks.dataset import HALVES
from benchmarks.checks.measure import CLEAN, Answer, Asker
from harness.training.cards.reader import read_card

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent


def cards() -> dict[str, str]:
    """Return name → text of every kept card."""
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))}


def half_of(name: str) -> str:
    """Return the half of a card, by a hash of its name."""
    return HALVES[hashlib.sha256(name.encode()).digest()[0] % 2]


def ask_cards(asker: Asker, *, most: int | None = None) -> Iterator[Answer]:
    """Yield the answers to each card as it is, and with each fault that it can show."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in list(cards().items())[:most]:
            yield _ask(asker, Path(folder), name, text, CLEAN)
            for fault in CARD_FAULTS:
                changed = fault.change(text)
                if changed is not None and changed != text:
                    yield _ask(asker, Path(folder), name, changed, fault.name)


def _ask(asker: Asker, folder: Path, name: str, text: str, fault: str) -> Answer:
    file = folder / f"{name}.md"
    file.write_text(text, encoding="utf-8")
    given = read_card(file).check_input
    return asker.look(given, f"card {name}", half_of(name), fault, 1.0 if fault != CLEAN else 0.0, "card")
