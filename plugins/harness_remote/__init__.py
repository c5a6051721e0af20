"""Models behind an OpenAI-compatible `/v1/embeddings`: --model http:URL#MODEL"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl
from harness.authoring import ModelScheme

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.authoring import LocatedModel, ModelSpec

_HONORED = frozenset({"revision", "prompts", "similarity", "truncate_dim", "normalize", "precision"})


@hookimpl
def harness_model_schemes() -> Iterable[ModelScheme]:
    """Return the scheme of servers, under both of the words that an address begins with."""
    about = "a model behind an OpenAI-compatible /v1/embeddings: --model {}"
    return [
        ModelScheme("http", about.format("http:URL#MODEL"), _locate, _HONORED),
        ModelScheme("https", about.format("https://HOST/v1#MODEL"), _locate, _HONORED),
    ]


def _locate(spec: ModelSpec) -> LocatedModel:
    from harness_remote.model import LocatedRemote

    return LocatedRemote.at(spec)
