"""Try a model: does it keep the rules of models?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plugins.validate import model_error
from harness.testing.rules import Rule, find_failures, raise_failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.interface import LocatedModel, ModelScheme


def check_model(model: LocatedModel, *, scheme: ModelScheme | None = None) -> None:
    """Return if a model keeps all rules.

    model: what a scheme's `locate` returned.
    scheme: the scheme; if None, the one of the name `model.spec.scheme` in the model's own module, or installed.
    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"model {getattr(model, 'name', model)!r}", model_failures(model, scheme=scheme))


def model_failures(model: LocatedModel, *, scheme: ModelScheme | None = None) -> list[str]:
    """Return a sentence for each rule that a model breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, model)]


def _members(model: LocatedModel) -> Iterator[str]:
    if problem := model_error(model):
        yield f"it is {problem}"


STAGES = ((Rule("members", "has name, fingerprint, spec and load", _members),),)
