"""Code without a file, such as that of a notebook's cell: hashed by what was compiled."""

from __future__ import annotations

import functools
import hashlib
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = (str, bytes, int, float, complex, bool, type(None))
"""Types of globals that count by their value."""


def object_digest(owner: Any) -> str:  # noqa: ANN401 - a class or any callable
    """Return the hex SHA-256 of the code of a class or callable, and of what it reaches in its own module.

    Constants and names count, lines and files do not: a cell that is run again unchanged has the same digest.
    Functions, classes and plain values that the code names in its module count too, however far they are.
    """
    seen: set[int] = set()
    parts = sorted(set(_parts(owner, str(getattr(owner, "__module__", "")), seen)))
    return hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()


def _parts(owner: Any, module: str, seen: set[int]) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield a line for each piece of code that is reached."""
    if id(owner) in seen:
        return
    seen.add(id(owner))
    if isinstance(owner, type):
        for name, value in sorted(vars(owner).items(), key=lambda item: item[0]):
            if isinstance(value, _PLAIN) and not name.startswith("__"):
                yield f"{owner.__qualname__}.{name} = {value!r}"
            yield from _parts(_function_of(value), module, seen)
        for base in owner.__bases__:
            if base.__module__ == module:
                yield from _parts(base, module, seen)
        return
    function = _function_of(owner)
    if not isinstance(function, FunctionType):
        return
    yield f"{function.__qualname__}: {_code_text(function.__code__)}"
    defaults = _plain(function.__defaults__), _plain(function.__kwdefaults__)
    yield f"{function.__qualname__} defaults: {' '.join(defaults)}"
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        if isinstance(value, _PLAIN) and name in function.__globals__ and not name.startswith("__"):
            yield f"{name} = {value!r}"
        elif getattr(value, "__module__", None) == module:
            yield from _parts(value, module, seen)


def _function_of(value: Any) -> Any:  # noqa: ANN401 - as above
    """Return the function behind a method, a property, a partial or a decorated one."""
    while True:
        if isinstance(value, functools.partial):
            value = value.func
        elif isinstance(value, staticmethod | classmethod):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        elif isinstance(value, functools.cached_property):
            value = value.func
        elif hasattr(value, "__wrapped__"):
            value = value.__wrapped__
        else:
            return getattr(value, "__func__", value)


def _names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code_text(code: CodeType) -> str:
    constants = [
        _code_text(constant) if isinstance(constant, CodeType) else repr(_ordered(constant))
        for constant in code.co_consts
    ]
    parts = (code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, constants)
    return " ".join(map(str, parts))


def _ordered(constant: Any) -> Any:  # noqa: ANN401 - a constant
    """Return a constant whose text does not depend on hash seeds."""
    return sorted(map(repr, constant)) if isinstance(constant, frozenset) else constant


def _plain(value: Any) -> str:  # noqa: ANN401 - defaults of parameters
    """Return values as text, those that are not plain by their type."""
    if isinstance(value, tuple):
        return str([_plain(inner) for inner in value])
    if isinstance(value, dict):
        return str({name: _plain(inner) for name, inner in sorted(value.items())})
    return repr(value) if isinstance(value, _PLAIN) else type(value).__qualname__
