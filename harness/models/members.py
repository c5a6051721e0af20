"""Check that what a plugin loads has the members of a `Model`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.interface import ModelFacts, ModelSpec

if TYPE_CHECKING:
    from harness.models.interface import Model

_VALUES: dict[str, type] = {"name": str, "fingerprint": str, "spec": ModelSpec, "facts": ModelFacts}
_METHODS = ("encode", "similarity", "pairwise_similarity", "count_tokens", "same_as")


def check_model(model: Any) -> Model:  # noqa: ANN401 - a plugin may return anything
    """Return a loaded model unchanged, if it has every member of `Model`.

    Raises HarnessError that names the members that are missing, or are not what they should be.
    """
    kind = type(model).__name__
    missing = [name for name in (*_VALUES, *_METHODS) if not hasattr(model, name)]
    if missing:
        raise HarnessError(
            f"load returned a {kind} without {', '.join(missing)}",
            exists=f"a model has {', '.join((*_VALUES, *_METHODS))}",
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
