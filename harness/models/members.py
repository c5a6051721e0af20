"""Check that what a plugin loads has the members of a `Model`, and that they are what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, nearest
from harness.finding import finding_fault
from harness.models.interface import SIMILARITIES, ModelFacts, ModelSpec
from harness.render import shown_value
from harness.system.plugin_code import error_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.interface import LocatedModel, Model

_VALUES: dict[str, type] = {"name": str, "fingerprint": str, "spec": ModelSpec, "facts": ModelFacts}
_METHODS = ("encode", "similarity", "pairwise_similarity", "count_tokens", "same_as")
_HINT = "docs/plugins.md shows a whole model; harness/models/interface.py says what each member is"


def check_model(model: Any, located: LocatedModel | None = None) -> Model:  # noqa: ANN401 - a plugin may return anything
    """Return a loaded model unchanged, if it has all members of a `Model`.

    located: what it was loaded from, whose name and fingerprint it must have: records are kept under them.
    Raises HarnessError that names the members that are missing, or are not what they should be.
    """
    kind = type(model).__name__
    if missing := [name for name in (*_VALUES, *_METHODS) if not _has(model, name)]:
        raise HarnessError(f"load returned a {kind} without {', '.join(missing)}", hint=_HINT)
    for fault in _faults(model, located):
        raise HarnessError(f"load returned a {kind} whose {fault}", hint=_HINT)
    checked: Model = model
    return checked


def _has(model: Any, name: str) -> bool:  # noqa: ANN401 - as above
    try:
        return hasattr(model, name)
    except Exception as error:
        kind = type(model).__name__
        raise HarnessError(
            f"load returned a {kind} whose {name} cannot be read: {error_sentence(error)}", hint=_HINT
        ) from error


def _faults(model: Any, located: LocatedModel | None) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield what is wrong with members that are there."""
    for name, wanted in _VALUES.items():
        value = getattr(model, name)
        if not isinstance(value, wanted):
            yield f"{name} is {shown_value(value)!r}, not a {wanted.__name__}"
    for name in _METHODS:
        if not callable(getattr(model, name)):
            yield f"{name} is not a method"
    for name in ("name", "fingerprint") if located is not None else ():
        loaded, found = getattr(model, name), getattr(located, name)
        if loaded != found:
            yield f"{name} is {loaded!r}: it was located as {found!r}, and must not change"
    yield from _fact_faults(model.facts)


def _fact_faults(facts: ModelFacts) -> Iterator[str]:
    """Yield which facts are of another kind than they must be: records and tables show them."""
    values: dict[str, Any] = {name: getattr(facts, name) for name in ModelFacts.__slots__}
    if not _is_count(values["dimensions"]) or not values["dimensions"]:
        yield f"facts.dimensions is {values['dimensions']!r}, not a whole number above 0"
    for name in ("parameters", "max_tokens", "size_bytes"):
        if values[name] is not None and not _is_count(values[name]):
            yield f"facts.{name} is {values[name]!r}, not a whole number or None"
    for name in ("similarity", "dtype", "device", "backend"):
        if not isinstance(values[name], str) or not values[name]:
            yield f"facts.{name} is {values[name]!r}, not a text"
    if isinstance(values["similarity"], str) and values["similarity"] not in (*SIMILARITIES, "hamming"):
        yield f"facts.similarity is {values['similarity']!r}: {_known(values['similarity'])}"
    for name in ("reproducible", "remote", "identified"):
        if not isinstance(values[name], bool):
            yield f"facts.{name} is {values[name]!r}, not True or False"
    for name in ("notes", "findings"):
        if not isinstance(values[name], tuple | list):
            yield f"facts.{name} is {values[name]!r}, not a tuple"
            return
    if not all(isinstance(note, str) for note in values["notes"]):
        yield f"facts.notes is {values['notes']!r}, not a tuple of texts"
    for finding in values["findings"]:
        if fault := finding_fault(finding):
            yield f"facts.findings has {fault}"


def _known(similarity: str) -> str:
    alike = nearest(similarity, SIMILARITIES, most=1)
    meant = f"; did you mean {alike[0]}?" if alike else ""
    return f"{', '.join(SIMILARITIES)} exist{meant}"


def _is_count(value: Any) -> bool:  # noqa: ANN401 - a plugin may say anything
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
