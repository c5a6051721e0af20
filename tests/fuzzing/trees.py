"""Break JSON and TOML by their structure: one value of another type, a key too many, a tree too deep."""

from __future__ import annotations

import copy
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

_DEEP = "@deep@"
"""Stands for a tree that Python itself could not write."""
_DEPTHS = (50, 400, 990, 20_000)

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**31, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, 10**4000,
    0.5, -0.0, 1e-320, 1e308, -1e308, math.nan, math.inf, -math.inf,
    "", " ", "0", "1", "nan", "\0", "\ud800", "\x1b[31m", "a\nb", "é", "\u202e", ".", "..", "../..", "/",
    "~x", "=1+1", "{", "{a.b}", "a" * 300, "x" * 70_000, [], {}, [[]], [None], [{}], {"": ""},
    {"a": {"a": 1}}, ["a", 1], [0.5] * 300, _DEEP,
)  # fmt: skip
"""What no field expects, or some do and others do not."""


def broken(tree: Any, chance: random.Random) -> Any:
    """Return the tree with one thing changed."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    if not places:
        return chance.choice(VALUES)
    container, key = chance.choice(places)
    chance.choice(_CHANGES)(container, key, chance, places)
    return tree


def to_json(tree: Any, chance: random.Random, **options: Any) -> bytes:
    """Write a tree as JSON, with NaN and halves of surrogate pairs where it has them."""
    return _deepened(json.dumps(tree, **options), chance, "[]" if chance.random() < 0.5 else '{"a":}')


def to_toml(table: dict[str, Any], chance: random.Random) -> bytes:
    """Write a table as TOML, tables within it in one line each."""
    lines = [f"{json.dumps(str(key))} = {_inline(value)}" for key, value in table.items()]
    return _deepened("\n".join(lines) + "\n", chance, "[]")


def _deepened(text: str, chance: random.Random, brackets: str) -> bytes:
    """Put nests of brackets in: only where asked for does this draw from `chance`."""
    while f'"{_DEEP}"' in text:
        depth, half = chance.choice(_DEPTHS), len(brackets) - 1
        nest = f"{brackets[:half] * depth}1{brackets[half:] * depth}"
        text = text.replace(f'"{_DEEP}"', nest, 1)
    return text.encode("utf-8", "surrogatepass")


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    # TOML's escapes are JSON's but for "\/"; it has no null.
    return '""' if value is None else json.dumps(value, default=str)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """All (container, key) in a tree."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, inner in list(pairs):
        yield tree, key
        yield from _places(inner)


def _replace(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    container[key] = copy.deepcopy(chance.choice(VALUES))


def _delete(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    del container[key]


def _repeat(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    value = copy.deepcopy(container[key])
    if isinstance(container, list):
        container.insert(chance.randrange(len(container) + 1), value)
    else:
        container[f"{key}{chance.choice(('', '2', ' '))}"] = [value, value]


def _exchange(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    other, there = chance.choice(places)
    container[key] = copy.deepcopy(other[there])


def _wrap(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    container[key] = chance.choice(([container[key]], {"a": container[key]}, str(container[key])))


def _rename(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    if isinstance(container, dict):
        names = ("", "a", str(key).upper(), f"{key} ", "\0", "x" * 300, "a.b", "../a")
        container[chance.choice(names)] = container.pop(key)
    else:
        chance.shuffle(container)


def _extreme(container: Any, key: Any, chance: random.Random, places: Any) -> None:
    """Keep the type, and take an end of its range."""
    value = container[key]
    same = [one for one in VALUES if type(one) is type(value)]
    container[key] = copy.deepcopy(chance.choice(same or VALUES))


_CHANGES: tuple[Callable[..., None], ...] = (
    _replace, _replace, _extreme, _extreme, _delete, _repeat, _exchange, _wrap, _rename
)  # fmt: skip
