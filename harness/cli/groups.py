"""Groups of options: one object in place of the values of many."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from _typeshed import DataclassInstance

    Command = Callable[..., Any]
    Decorator = Callable[[Command], Command]

Options = TypeVar("Options", bound="DataclassInstance")


def grouped(**groups: type[DataclassInstance]) -> Decorator:
    """Hand a command one object per group instead of the values of the options that the group has as fields.

    groups: keyword of the command → dataclass, whose fields are named as click names the options.
    """

    def decorate(command: Command) -> Command:
        # click finds the options declared so far on what it decorates: `wraps` copies them.
        @functools.wraps(command)
        def call(**values: Any) -> Any:  # noqa: ANN401 - click's values
            grouped_names = {field.name for group in groups.values() for field in fields(group)}
            rest = {name: value for name, value in values.items() if name not in grouped_names}
            return command(**rest, **{name: read_options(group, values) for name, group in groups.items()})

        return call

    return decorate


def read_options(group: type[Options], values: Mapping[str, Any]) -> Options:
    """Make the object of a group of options: each field takes the value of its name, if a command has it."""
    return group(**{field.name: values[field.name] for field in fields(group) if field.name in values})
