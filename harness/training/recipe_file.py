"""Recipe files: TOML to and from a Recipe."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from harness.errors import HarnessError
from harness.training.losses import LOSSES
from harness.training.recipe import CORRECTED, Recipe
from harness.training.validate import validate_recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file.

    Raises HarnessError for a file that cannot be read, an unknown key, a wrong type, a loss that does not
    exist, or fields that contradict each other.
    """
    from harness.system.toml_file import read_toml

    if not path.is_file():
        raise HarnessError(
            f"no recipe file {path}", hint="`harness list recipes` shows those that are shipped"
        )
    table = read_toml(path)
    return replace(recipe_from({"name": path.stem, **table}, str(path)), home=str(path.parent))


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """Make a recipe of plain data; `where` names the data in errors. Raises as `read_recipe` does."""
    _check_keys(table, Recipe, where)
    name = table["loss"].get("name") if "loss" in table else None
    if isinstance(name, str) and name not in LOSSES:
        raise HarnessError.unknown(f"loss in {where}", name, LOSSES)
    try:
        recipe = msgspec.convert(dict(table), Recipe)
    except msgspec.ValidationError as error:
        raise HarnessError(f"{where}: {_sentence(error)}", hint="docs/recipes.md has every key") from error
    validate_recipe(recipe, where)
    return recipe


def with_changes(recipe: Recipe, changes: Mapping[str, Any], where: str) -> Recipe:
    """Return the recipe with values replaced: `{"train.epochs": 1}`; checked as if read so from a file."""
    table = recipe.to_dict()
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        inner = table
        for key in path:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise HarnessError(f"{where}: {dotted} is not a key of a recipe: {key} is no table")
        inner[last] = value
    return replace(recipe_from(table, where), home=recipe.home)


def find_recipe(recipes: Iterable[Recipe], name: str) -> Recipe:
    """Find a recipe by its name, where plain `NAME` means `NAME/corrected`; raises HarnessError for none."""
    known = {recipe.name: recipe for recipe in recipes}
    found = known.get(name) or known.get(f"{name}/{CORRECTED}")
    if found is None:
        raise HarnessError.unknown("recipe", name, known, hint="a recipe of your own is a file: FILE.toml")
    return found


def _check_keys(table: Mapping[str, Any], kind: type, where: str, inside: str = "") -> None:
    """Raise HarnessError for a key or a choice that no recipe has, with the nearest that may be meant."""
    hints = get_type_hints(kind)
    known = [one.name for one in fields(kind) if one.name != "home"]
    for key, value in table.items():
        if key not in known:
            raise HarnessError.unknown(
                f"key in {where}", f"{inside}{key}", [f"{inside}{one}" for one in known]
            )
        inner = hints[key]
        choices = _choices(inner)
        if is_dataclass(inner) and isinstance(inner, type):
            if not isinstance(value, dict):
                raise HarnessError(f"{where}: {key} is a table: [{key}]")
            _check_keys(value, inner, where, f"{inside}{key}.")
        elif isinstance(value, str) and choices and value not in choices:
            raise HarnessError.unknown(f"{inside}{key} in {where}", value, choices)


def _choices(hint: Any) -> tuple[str, ...]:  # noqa: ANN401 - a type
    """Texts that a field may hold; empty where it may hold any, or none."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(choice for part in get_args(hint) for choice in _choices(part))


def _sentence(error: msgspec.ValidationError) -> str:
    """Say where, in the words of the file: "train.epochs: Expected `float`, got `str`"."""
    message, _, place = str(error).partition(" - at `$.")
    place = place.rstrip("`")
    _, lacks, key = message.partition("missing required field ")
    if lacks:
        return f"{place}{'.' if place else ''}{key.strip('`')} is missing"
    return f"{place}: {message}" if place else message
