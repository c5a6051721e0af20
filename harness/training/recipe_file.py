"""Read recipes from TOML files, find them by name, and apply changes to them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from harness.errors import Faults, HarnessError
from harness.system.paths import shown_path
from harness.system.toml_file import read_table, read_toml
from harness.training.losses import LOSSES
from harness.training.recipe import CORRECTED, Data, Loss, Recipe
from harness.training.validate import data_flaws, validate_recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises HarnessError for a file that cannot be read, and for all unknown keys, wrong types, a loss that
    does not exist, and fields that contradict each other.
    """
    if not path.is_file():
        raise HarnessError(
            f"no recipe file {shown_path(path)}", hint="`harness list recipes` shows those that are shipped"
        )
    table = read_toml(path)
    return replace(recipe_from({"name": path.stem, **table}, str(path)), home=str(path.parent))


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe of plain data; `where` names the data in errors. Raises as `read_recipe` does."""
    faults = Faults()
    hint = "docs/recipes.md has every key"
    recipe = read_table(dict(table), Recipe, where, faults, hint=hint, partial=True)
    whole = read_table(dict(table), Recipe, where, Faults()) is not None
    if recipe is not None and recipe.loss.name not in LOSSES:
        faults.add(HarnessError.unknown(f"loss in {where}", recipe.loss.name, LOSSES))
    if recipe is not None:
        with faults.collect():
            validate_recipe(recipe, where, whole=whole)
    faults.refuse(where)
    return cast("Recipe", recipe)  # there are faults where it is None


def sound_data(table: Mapping[str, Any], where: str) -> Data | None:
    """Return what a recipe says of its rows, where that is sound, whatever else is wrong in it; else None."""
    data = read_table(table.get("data"), Data, where, faults := Faults())
    if data is None or faults.found:
        return None
    recipe = Recipe(name="rows", base="rows", data=data, loss=Loss(name=next(iter(LOSSES))))
    return None if any(True for _ in data_flaws(recipe)) else data


def with_changes(recipe: Recipe, changes: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe with values replaced, as in `{"train.epochs": 1}`, checked as `recipe_from` does."""
    table = recipe.to_dict()
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner = table
        for key in path:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe: {key} is not a table")
        inner[last] = value
    if "base" in changes and changes["base"] != recipe.base and "revision" not in changes:
        table.pop("revision", None)  # it was one of the other base
    return replace(recipe_from(table, where), home=recipe.home)


def find_recipe(recipes: Iterable[Recipe], name: str) -> Recipe:
    """Find a recipe by its name, where plain `NAME` means `NAME/corrected`; raises HarnessError for none."""
    known = {recipe.name: recipe for recipe in recipes}
    recipe = known.get(name) or known.get(f"{name}/{CORRECTED}")
    if recipe is None:
        raise HarnessError.unknown("recipe", name, known, hint="a recipe of your own is a file: FILE.toml")
    return recipe
