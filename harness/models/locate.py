"""Parse `--model`, locate models, and tell models of one name apart."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.backends.threads import thread_layouts
from harness.models.honor import refuse_settings
from harness.models.in_memory import refuse_lost
from harness.models.interface import LocatedModel, ModelSpec, Settings
from harness.models.storage import PRECISIONS, encoding_settings, storage_settings
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.models.interface import ModelScheme

_NAMED = re.compile(r"(?P<name>[^=/\\]+)=(?P<rest>.+)")
_NOT_IN_A_NAME = re.compile(r"[/\\,]")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def parse_model(
    text: str, schemes: Mapping[str, ModelScheme], settings: Settings | None = None, *, threads: str = "auto"
) -> ModelSpec:
    """Parse `[NAME=]PATH`, `[NAME=]ORG/NAME` or `[NAME=]SCHEME[:REST]` into a spec.

    A scheme's name wins over a folder of that name (`./minilm` is the folder).
    Raises HarnessError for anything else, and for invalid threads.
    """
    if is_empty(text):  # not the current folder, which is `.`
        raise HarnessError(
            f"an empty model{f' ({text})' if text.strip() else ''}",
            hint="give a name, a folder or a hub id; is a variable of the shell unset?",
        )
    settings = settings or Settings()
    thread_layouts(threads)  # raises for invalid threads, before any work
    named = _NAMED.fullmatch(text)
    name, rest = (named["name"], named["rest"]) if named else ("", text)
    scheme, _, location = rest.partition(":")
    if scheme in schemes and scheme not in ("folder", "hub"):
        return ModelSpec(scheme, location, name, settings, threads)
    if user_path(rest).is_dir():
        return ModelSpec("folder", rest, name, settings, threads)
    if _HUB_ID.fullmatch(rest) and not rest.startswith("."):
        return ModelSpec("hub", rest, name, settings, threads)
    if "/" in rest or rest.startswith((".", "~")):
        raise HarnessError(f"no model folder {rest}", hint="a path must exist; a hub id is ORG/NAME")
    raise HarnessError.unknown("model", rest, schemes, hint="or give a folder, or a hub id ORG/NAME")


def is_empty(text: str) -> bool:
    """Whether a model's text names none: it is blank, or ends behind the name that is given to the model."""
    name, equals, rest = text.partition("=")
    return not text.strip() or bool(equals and not rest.strip() and not _NOT_IN_A_NAME.search(name))


def locate_model(spec: ModelSpec, schemes: Mapping[str, ModelScheme]) -> LocatedModel:
    """Find and fingerprint a model, without loading its weights.

    Raises HarnessError for an unknown scheme or precision, and for settings that it does not honor.
    """
    refuse_lost(spec)
    if spec.scheme not in schemes:
        raise HarnessError.unknown("model scheme", spec.scheme, schemes)
    if spec.settings.precision not in PRECISIONS:
        raise HarnessError.unknown("precision", spec.settings.precision, PRECISIONS)
    refuse_settings(spec, schemes[spec.scheme].honors)
    source = schemes[spec.scheme].locate(replace(spec, settings=encoding_settings(spec.settings)))
    if not storage_settings(spec.settings) and getattr(source, "truncate_dim", None) is None:
        return source
    from harness.models.stored_model import LocatedStored

    return LocatedStored(source, spec)


def check_names(models: Sequence[LocatedModel]) -> None:
    """Raise HarnessError where two explicit names clash, or one model is given twice."""
    explicit = Counter(model.spec.name for model in models if model.spec.name)
    for name, count in explicit.items():
        if count > 1:
            raise HarnessError(f"two models are named {name!r}", hint="NAME=PATH must be unique in a run")
    for (name, _), count in Counter((model.name, model.fingerprint) for model in models).items():
        if count > 1:
            raise HarnessError(f"model {name!r} is given twice: same name and same content")


def display_names(models: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Map (name, fingerprint) to the displayed name: `name~fp8` where several models share a name."""
    distinct = list(dict.fromkeys(models))
    shared = Counter(name for name, _ in distinct)
    return {(name, fp): f"{name}~{fp[:8]}" if shared[name] > 1 else name for name, fp in distinct}
