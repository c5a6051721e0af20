"""Findings on a model's configuration: what sentence-transformers does not use of it, or does not know."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.models.interface import SIMILARITIES, Role
from harness.models.modules import listed_in, read_configuration
from harness.system.limits import RECORD, read_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Settings

_METHODS = {Role.QUERY: "encode_query", Role.DOCUMENT: "encode_document"}
_WORDS = {Role.QUERY: ("quer", "question"), Role.DOCUMENT: ("doc", "passage", "corpus")}
"""Parts of the names that authors give to prompts of a role; the library knows `query` and `document`."""
_LONGEST_SHOWN = 80
"""Maximum characters of a prompt that a finding repeats."""


def unused_prompts(model: BackendModel) -> Iterator[Finding]:
    """Yield a finding for each role that has no prompt while the model has one for such texts.

    A role for which the user set a prompt is left out, also where that is empty.
    """
    chosen = model.chosen_prompts
    for role, method in _METHODS.items():
        if role in chosen or model.prompt(role):
            continue
        named = {
            name: prompt
            for name, prompt in model.sentence_transformer.prompts.items()
            if prompt and any(word in name.lower() for word in _WORDS[role])
        }
        if not named:
            continue
        name, prompt = next(iter(named.items()))
        short = len(prompt) <= _LONGEST_SHOWN
        shown = prompt if short else f"{prompt[:_LONGEST_SHOWN]}…"
        use = f"--prompt {role}={shlex.quote(prompt)}" if short else f"--prompt {role}=TEXT, with its text,"
        yield Finding(
            "unused-prompt",
            Severity.WARNING,
            f"sentence-transformers' {method} gives texts of role {role} no prompt, and the model has one for"
            f" them, {name}: {shown!r}",
            f"{use} uses it.",
        )


def unknown_similarity(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Yield a finding where the configuration names a similarity that sentence-transformers does not know."""
    named = _configuration(folder).get("similarity_fn_name")
    if settings.similarity is not None or named is None or named in SIMILARITIES:
        return
    meant = next((name for name in SIMILARITIES if str(named).lower().startswith(name[:3])), None)
    yield Finding(
        "unknown-similarity",
        Severity.WARNING,
        f"its configuration names the similarity {str(named)[:_LONGEST_SHOWN]!r}, which sentence-transformers"
        " does not know: it takes cosine, and so does harness",
        f"--similarity {meant or '|'.join(SIMILARITIES)} says which is meant.",
    )


def configured_dimensions(folder: Path, name: str) -> int | None:
    """Return the `truncate_dim` of a folder's configuration; None where it has none.

    Raises HarnessError where that is not a number of dimensions.
    """
    configured = _configuration(folder).get("truncate_dim")
    if configured is None or (type(configured) is int and configured > 0):
        return configured
    raise HarnessError(
        f"model {name}: its configuration sets truncate_dim to {configured!r}",
        hint="a number of dimensions is needed; --truncate-dim replaces it",
    )


def dimensions_of(folder: Path) -> int | None:
    """Return the dimensions that a model folder's configurations say its embeddings have, before any cut.

    None where that shows only when it is loaded, as behind a router. Imports no torch.
    """
    file = folder / "modules.json"
    if not file.is_file():
        return None
    for module in reversed([*listed_in(file, read_configuration(file))]):
        if module.name in _KEEPING:
            continue
        own = module.folder / "config.json"
        content = read_configuration(own) if module.name in _SIZES and own.is_file() else None
        return _SIZES[module.name](content) if isinstance(content, dict) else None
    return None


def _pooled(content: Mapping[str, Any]) -> int | None:
    """Return the dimensions of a pooling: those of a token for each of its modes."""
    size = content.get("embedding_dimension", content.get("word_embedding_dimension"))
    modes = content.get("pooling_mode")
    named = [modes] if isinstance(modes, str) else modes
    if named is None:  # as it was written before version 5.5
        named = [key for key, value in content.items() if key.startswith("pooling_mode_") and value]
    return size * max(len(named), 1) if type(size) is int and isinstance(named, list | tuple) else None


def _dense(content: Mapping[str, Any]) -> int | None:
    size = content.get("out_features")
    return size if type(size) is int else None


_SIZES: Mapping[str, Callable[[Mapping[str, Any]], int | None]] = {"Pooling": _pooled, "Dense": _dense}
"""Class of a module → what its configuration says of the dimensions that it returns."""
_KEEPING = ("Normalize", "Dropout", "LayerNorm")
"""Classes of modules that return as many dimensions as they get."""


def _configuration(folder: Path) -> dict[str, Any]:
    """Return the sentence-transformers configuration of a folder; empty where there is none."""
    file = folder / "config_sentence_transformers.json"
    content = json.loads(read_regular_file(file, RECORD)) if file.is_file() else {}
    return content if isinstance(content, dict) else {}
