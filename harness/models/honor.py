"""Hold settings against what a model honors: before it is located, and when it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.interface import PERMISSIONS, SIMILARITIES, changed_settings
from harness.models.known import is_identified
from harness.models.members import check_model

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.models.interface import LocatedModel, Model, ModelSpec

_OPTIONS = {"prompts": "--prompt"}
"""Options whose names are not those of their settings."""


def refuse_settings(spec: ModelSpec, honored: Collection[str]) -> None:
    """Raise HarnessError for settings that a model would ignore, and for an unknown similarity."""
    similarity = spec.settings.similarity
    if similarity is not None and similarity not in SIMILARITIES:
        raise HarnessError.unknown("similarity", similarity, SIMILARITIES)
    ignored = [name for name in changed_settings(spec.settings) if name not in {*honored, *PERMISSIONS}]
    if ignored:
        known = ", ".join(map(_option, sorted(honored)))
        raise HarnessError(
            f"the {spec.scheme} model does not support {', '.join(map(_option, ignored))}",
            hint=f"it supports {known}" if known else "it has no such settings: run it apart, without them",
        )


def load_located(located: LocatedModel) -> Model:
    """Load a model and hold its facts against the settings.

    Raises HarnessError for what is no model, for one that says that it does not do what it was set to, and
    as `load` does.
    """
    model = check_model(located.load(), located)
    facts, settings = model.facts, located.spec.settings
    for name, wanted, found in (
        ("truncate_dim", settings.truncate_dim, facts.dimensions),
        ("max_seq_length", settings.max_seq_length, facts.max_tokens),
        ("similarity", settings.similarity, facts.similarity),
        ("dtype", settings.dtype, facts.dtype),
    ):
        if wanted is not None and wanted != found:
            raise HarnessError(
                f"model {located.name} ignores {_option(name)} {wanted}: its facts say {found}",
                hint=f"leave {_option(name)} out, or mend the model's plugin",
            )
    if is_identified(located) != facts.identified:
        raise HarnessError(
            f"model {located.name} says identified={is_identified(located)} when it is located, and its facts"
            f" say {facts.identified}",
            hint="mend the model's plugin: results are kept, or are not, by what it says when it is located",
        )
    return model


def _option(setting: str) -> str:
    return _OPTIONS.get(setting, f"--{setting.replace('_', '-')}")
