"""The recipes of five published cards: as published and corrected."""

from __future__ import annotations

from pathlib import Path

from harness.training import Recipe, read_recipe

SHIPPED = Path(__file__).with_name("shipped")
"""Folder with a folder per card, a file per variant, and the shipped rows in `data/`."""


def shipped_recipes() -> list[Recipe]:
    """Return all shipped recipes, sorted by name: `CARD/as-published` and `CARD/corrected`."""
    return [read_recipe(path) for path in sorted(SHIPPED.glob("*/*.toml"))]
