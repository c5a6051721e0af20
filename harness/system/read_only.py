"""Columns that cannot be changed: lists, arrays and tables that every model's `predict` shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from harness.system.stored_texts import StoredTexts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np


class FrozenError(TypeError):
    """Code of a plugin tried to change what it shares with others."""


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - every method that changes
    copy = "dict(values)" if isinstance(self, dict) else "list(values), or sorted(values)"
    raise FrozenError(f"{self.what} cannot be changed, others get it too: change a copy: {copy}")


class FrozenList(list[Any]):
    """A list that raises `FrozenError` where it would be changed. Slices, sums and copies are plain lists.

    what: what the error calls it.
    """

    __slots__ = ("what",)

    def __init__(self, values: Iterable[Any] = (), what: str = "this list") -> None:
        super().__init__(values)
        self.what = what

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as one tuple: the default appends cell by cell."""
        return FrozenList, (tuple(self), self.what)


class FrozenDict(dict[Any, Any]):
    """A dict that raises `FrozenError` where it would be changed; what: what the error calls it."""

    __slots__ = ("what",)

    def __init__(self, values: Mapping[Any, Any], what: str = "this table") -> None:
        super().__init__(values)
        self.what = what

    pop = popitem = clear = update = setdefault = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as one plain dict: the default sets item by item."""
        return FrozenDict, (dict(self), self.what)


def frozen(values: Sequence[Any], what: str) -> Sequence[Any]:
    """Return a column that cannot be changed, a copy of a list or an array: lists within cells too.

    Texts, numbers and other objects stay as they are, and so do texts on disk. what: what an error calls it.
    """
    if isinstance(values, FrozenList | StoredTexts | str | bytes | range):
        return values
    if _is_array(values):
        return frozen_array(values)  # type: ignore[return-value, arg-type] # an array is a column
    if any(issubclass(kind, _CHANGEABLE) or kind.__module__ == "numpy" for kind in set(map(type, values))):
        values = [_frozen_cell(cell) for cell in values]
    return tuple(values) if isinstance(values, tuple) else FrozenList(values, what)


def frozen_plain(value: Any, what: str) -> Any:  # noqa: ANN401 - plain data
    """Return plain data, as JSON has it, that cannot be changed; what: as in `frozen`."""
    if isinstance(value, dict):
        return FrozenDict({key: frozen_plain(inner, what) for key, inner in value.items()}, what)
    if isinstance(value, list):
        return FrozenList([frozen_plain(inner, what) for inner in value], what)
    return value


def frozen_array(values: np.ndarray) -> np.ndarray:
    """Return a copy of an array that cannot be written to, nor made writable again."""
    import numpy as np

    if values.dtype == object:
        copy = np.empty(values.shape, dtype=object)
        copy.ravel()[:] = [_frozen_cell(cell) for cell in values.ravel()]
        copy.flags.writeable = False
        return copy
    return read_only(np.array(values, order="C"))


def read_only(values: np.ndarray) -> np.ndarray:
    """Return a view of contiguous numbers that cannot be written to, nor made writable again.

    Of a plain view, `view.base` is the array itself, and `flags.writeable` of the view may be set.
    """
    import numpy as np

    try:
        return np.asarray(memoryview(values).toreadonly())  # type: ignore[arg-type] # it has a buffer
    except (ValueError, NotImplementedError, BufferError):  # dates have no buffer
        view = values.view()
        view.flags.writeable = False
        return view


def _frozen_cell(cell: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(cell, FrozenList | FrozenDict):
        return cell
    if isinstance(cell, list):
        cells = map(_frozen_cell, cell) if set(map(type, cell)) - _PLAIN else cell
        return FrozenList(cells, "a list in a cell of the dataset")
    if isinstance(cell, dict):
        return FrozenDict({key: _frozen_cell(inner) for key, inner in cell.items()})
    if type(cell) is tuple:
        return tuple(map(_frozen_cell, cell))
    return frozen_array(cell) if _is_array(cell) else cell


def _is_array(value: Any) -> bool:  # noqa: ANN401 - any value
    return (
        type(value).__module__ == "numpy"
        and hasattr(value, "flags")
        and hasattr(value, "ravel")
        and value.ndim > 0
    )


_CHANGEABLE = (list, dict, tuple)
_PLAIN = {str, int, float, bool, type(None)}
