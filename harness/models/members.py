"""Check that what a plugin loads has the members of a `Model` that every evaluation needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.interface import ModelFacts, ModelSpec

if TYPE_CHECKING:
    from harness.models.interface import Model

_VALUES: dict[str, type] = {"name": str, "fingerprint": str, "spec": ModelSpec, "facts": ModelFacts}
_METHODS = ("encode", "same_as")
"""Methods that every task needs; one that lacks another, such as `similarity`, raises where it is used."""


def check_model(model: Any) -> Model:  # noqa: ANN401 - a plugin may return anything
    """Return a loaded model unchanged, if it has the members that every evaluation needs.

    Raises HarnessError that names the members that are missing, or are not what they should be.
    """
    kind = type(model).__name__
    missing = [name for name in (*_VALUES, *_METHODS) if not hasattr(model, name)]
    if missing:
        raise HarnessError(
            f"load returned a {kind} without {', '.join(missing)}",
            hint="docs/plugins.md shows a whole model; harness/models/interface.py says what each member is",
        )
    for name, wanted in _VALUES.items():
        value = getattr(model, name)
        if not isinstance(value, wanted):
            raise HarnessError(f"load returned a {kind} whose {name} is {value!r}, not a {wanted.__name__}")
    for name in _METHODS:
        if not callable(getattr(model, name)):
            raise HarnessError(f"load returned a {kind} whose {name} is not a method")
    checked: Model = model
    return checked
