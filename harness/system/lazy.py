"""Lazy public names: imported at their first use, so that importing a namespace is fast."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def attach(
    namespace: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a module whose names are in other modules.

    homes: module of `harness` → names that are imported from it, separated by spaces.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}
    names = sorted(home)

    def get(name: str) -> Any:  # noqa: ANN401 - any object
        if name not in home:
            raise AttributeError(f"module {namespace!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"harness.{home[name]}"), name)
        setattr(sys.modules[namespace], name, value)
        return value

    return get, lambda: names, names
