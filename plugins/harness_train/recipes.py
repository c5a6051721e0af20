"""The recipes of five published cards: as each was, and as it should have been."""

from __future__ import annotations

from pathlib import Path

from harness.training import Recipe, read_recipe

SHIPPED = Path(__file__).with_name("shipped")
"""A folder per card, a file per variant, and the rows that we ship in `data/`."""


def shipped_recipes() -> list[Recipe]:
    """Read them all, by name: `CARD/as-published` and `CARD/corrected`."""
    return [read_recipe(path) for path in sorted(SHIPPED.glob("*/*.toml"))]
