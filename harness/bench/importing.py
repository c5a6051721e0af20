"""How much of loading a model is importing libraries."""

from __future__ import annotations

import builtins
import importlib
import threading
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Importing:
    """While it is entered, adds up the seconds that this thread spends in imports, nested ones once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._thread = threading.get_ident()
        self._import, self._import_module = builtins.__import__, importlib.import_module

    def __enter__(self) -> Self:
        builtins.__import__ = self._counted(self._import)
        importlib.import_module = self._counted(self._import_module)
        return self

    def __exit__(self, *_: object) -> None:
        builtins.__import__, importlib.import_module = self._import, self._import_module

    def _counted(self, importing: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on as they are
            if threading.get_ident() != self._thread or self._depth:
                return importing(*arguments, **options)
            self._depth += 1
            started = time.monotonic()
            try:
                return importing(*arguments, **options)
            finally:
                self._depth -= 1
                self.seconds += time.monotonic() - started

        return counted
