"""Models as Python users have them: a name or path, a live model, an object that encodes, a function."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, Unpack, cast, runtime_checkable

import msgspec

from harness.errors import HarnessError
from harness.models.interface import Model, ModelSpec, Settings
from harness.models.request import ModelRequest, ModelTable, check_settings, read_request

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from harness.models.interface import LocatedModel, ModelScheme


class ModelSettings(TypedDict, total=False):
    """Settings of a model by name, as `--model` and harness.toml have them; see `Settings`."""

    device: str
    dtype: str
    backend: str
    allow_deviation: bool
    truncate_dim: int | None
    normalize: bool
    precision: str
    similarity: str | None
    max_seq_length: int | None
    prompts: Mapping[str, str]
    """By role: `{"query": "query: "}`."""
    allow_pickle: bool
    trust_remote_code: bool
    revision: str | None
    threads: str | int


@runtime_checkable
class Encoder(Protocol):
    """An object that turns texts into embeddings; it may have `encode_query` and `encode_document` too."""

    def encode(self, texts: list[str], /) -> Any:  # noqa: ANN401 - an array, a tensor, lists
        """Return one embedding per text: (len(texts), dimensions) numbers."""
        ...


EncodeFunction = Callable[[list[str]], Any]
"""A function from texts to one embedding each."""


def load_model(model: str | os.PathLike[str], **settings: Unpack[ModelSettings]) -> Model:
    """Load a model as `--model` would: a folder, a hub id, or a scheme such as `minilm`, with its settings.

    `load_model("./candidate", dtype="bfloat16")` and `load_model("./candidate,dtype=bfloat16")` are the same.
    Raises HarnessError where it does not exist, cannot be loaded, or does not honor a setting.
    """
    from harness.models.honor import load_located
    from harness.plugins.loader import load_plugins

    schemes = load_plugins().model_schemes()
    text = model if isinstance(model, str) else str(Path(model).absolute())
    (located,) = locate_named(text, "", read_settings(settings), schemes)
    return load_located(located)


def read_settings(settings: ModelSettings) -> tuple[Settings, str]:
    """Return settings and threads given by name; raises HarnessError for an unknown name or a wrong value."""
    known = [field.name for field in fields(ModelTable) if field.name != "model"]
    for name in settings:
        if name not in known:
            raise HarnessError.unknown("setting of a model", name, known)
    given: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if isinstance(given.get("prompts"), Mapping):
        given["prompts"] = {str(role): prompt for role, prompt in given["prompts"].items()}
    try:
        table = msgspec.convert({"model": "", **given}, ModelTable)
    except msgspec.ValidationError as error:
        raise HarnessError(f"settings of a model: {error}") from error
    read = replace(Settings(), **ModelRequest("", table).own_settings())
    check_settings(read)
    return read, str(table.threads or "auto")


def locate_named(
    text: str,
    name: str,
    settings: tuple[Settings, str],
    schemes: Mapping[str, ModelScheme],
    proofs: str = "",
) -> list[LocatedModel]:
    """Return the located model of a name or path, as `--model` takes it, with settings of its own.

    name: display name; empty for an automatic one. proofs: as in `ModelSpec`.
    Raises HarnessError where it does not exist, or does not honor a setting.
    """
    from harness.models.locate import locate_model, parse_model

    request = read_request(f"{name}={text}" if name else text, {})
    threads = str(request.table.threads or settings[1])
    return [
        locate_model(
            replace(parse_model(request.model, schemes, one, threads=threads), proofs=proofs), schemes
        )
        for one in request.settings([settings[0]])
    ]


def named_models(models: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - whatever a user passes
    """Return (name, model) of one model, of several, or of a dict; the name is empty where none is given.

    Raises HarnessError where there is none, and for a name that a model cannot have.
    """
    if isinstance(models, Mapping):
        named = list(models.items())
    elif isinstance(models, Sequence) and not isinstance(models, str | bytes) and not is_live(models):
        named = [("", model) for model in models]
    else:
        named = [("", models)]
    if not named:
        raise HarnessError("no model", hint='harness.evaluate("minilm", "sts"), or a dict of name → model')
    for name, _ in named:
        if not isinstance(name, str):
            raise HarnessError(f"a model has the name {name!r}, not a text")
        if set(name) & set("=/\\,") or not name.isprintable():
            hint = "leave out = , / and \\, and what cannot be printed"
            raise HarnessError(f"a model cannot have the name {name!r}", hint=hint)
    return named


def is_live(model: object) -> bool:
    """Whether a model is a SentenceTransformer in memory; imports nothing."""
    module = sys.modules.get("sentence_transformers")
    kind = getattr(module, "SentenceTransformer", None)
    return kind is not None and isinstance(model, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locating:
    """What models in memory are located with."""

    settings: tuple[Settings, str]
    schemes: Mapping[str, ModelScheme]
    folder: Path
    """Folder that live models are saved in while they are evaluated."""
    proofs: str = ""

    def locate(self, name: str, model: Any, position: int) -> list[LocatedModel]:  # noqa: ANN401 - as above
        """Return a located model of anything that a user passes as one.

        Raises HarnessError for what is not a model, or cannot be located.
        """
        from harness.api.functions import locate_callable
        from harness.api.live import locate_live

        if isinstance(model, str | os.PathLike):
            text = model if isinstance(model, str) else str(Path(model).absolute())
            return locate_named(text, name, self.settings, self.schemes, self.proofs)
        if is_live(model):
            spec = ModelSpec("folder", str(self.folder / str(position)), name, *self.settings, self.proofs)
            return [locate_live(cast("SentenceTransformer", model), spec)]
        if isinstance(getattr(model, "spec", None), ModelSpec):  # what `load_model` returned
            return [_located(model, name)]
        if callable(getattr(model, "encode", None)) or callable(model):
            return [locate_callable(model, ModelSpec("python", "", name, *self.settings))]
        raise HarnessError(
            f"{type(model).__name__} is not a model",
            exists="a model is a name or path, a SentenceTransformer, an object with encode(list[str]), or a"
            " function from a list of texts to embeddings",
        )


class _Loaded:
    """A model that is in memory already."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.name, self.fingerprint, self.spec = model.name, model.fingerprint, model.spec

    def load(self) -> Model:
        """Return the model."""
        return self._model


def _located(model: Model, name: str) -> LocatedModel:
    """Return a located model of one that `load_model` returned; name: its display name, its own if empty."""
    from harness.models.stored_model import LocatedStored, StoredModel

    spec = replace(model.spec, name=name or model.spec.name)
    if isinstance(model, StoredModel):
        return LocatedStored(_Loaded(model.source), spec)
    if not name:
        return _Loaded(model)
    renamed = copy.copy(model)
    renamed.name, renamed.spec = name, spec
    return _Loaded(renamed)
