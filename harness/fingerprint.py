"""What a model folder is made of: its fingerprint, its size, and whether it is safe to load."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.interfaces import Settings

_PICKLED = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}
_DEFINING = {".json", ".txt", ".model", ".safetensors", ".jinja", ".py", ".tiktoken", ".spm"} | _PICKLED
"""Endings of the files that embeddings depend on; not the README, pictures or logs."""
_NOT_DEFINING = {"trainer_state.json", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth"}
_NOT_DEFINING |= {
    "data_config.json",
    "lineage.json",
    "model_index.json",
    "eval_results.json",
    "all_results.json",
}
_NOT_LOADED = {"onnx", "openvino", "eval", ".git", ".cache", "checkpoints"}
"""Folders of other backends and of training, beside `checkpoint-*`: no module may lie in one."""
_SAFE_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
"""What is loaded in place of a pickle that lies beside it; safetensors of any other name are not."""


class _Module(msgspec.Struct):
    """An entry of modules.json."""

    type: str = ""
    path: str = ""


class _Router(msgspec.Struct):
    """What a Router's router_config.json says of its modules: the class of each, by its sub-folder."""

    types: dict[str, str] = {}


def fingerprint_folder(folder: Path) -> str:
    """Hex SHA-256 of every file that the embeddings depend on, with its path below the folder."""
    digest = hashlib.sha256()
    for path in defining_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def with_settings(fingerprint: str, settings: Settings) -> str:
    """Hex SHA-256 of a model's content and the settings that move its embeddings; not the device's name."""
    moving: dict[str, Any] = asdict(settings)
    for name in ("device", "allow_pickle", "trust_remote_code", "allow_deviation"):
        del moving[name]
    return hashlib.sha256(f"{fingerprint}\n{json.dumps(moving, sort_keys=True)}".encode()).hexdigest()


def defining_files(folder: Path) -> list[Path]:
    """Return the files that the embeddings depend on, sorted."""
    return sorted(
        path
        for inner in _folders(folder)
        for path in inner.iterdir()
        if path.suffix in _DEFINING and path.name not in _NOT_DEFINING and path.is_file()
    )


def weights_size(folder: Path) -> int:
    """Bytes of the weights on disk; where both exist, of the safetensors alone."""
    files = defining_files(folder)
    safe = [path for path in files if path.suffix == ".safetensors"]
    return sum(path.stat().st_size for path in safe or [path for path in files if path.suffix in _PICKLED])


def check_folder(folder: Path, settings: Settings) -> None:
    """Refuse a folder that is no model, needs pickle, or runs its own code, unless that was allowed.

    Raises HarnessError that says which file, and which option would accept it.
    """
    folders = list(_folders(folder))
    if any((inner / "adapter_config.json").exists() for inner in folders):
        raise HarnessError(
            f"{folder} is a PEFT adapter, not a whole model: it needs a base that is not in it",
            hint="merge it first: model.merge_and_unload(), then save_pretrained()",
        )
    if not (folder / "modules.json").exists() and not (folder / "config.json").exists():
        raise HarnessError(
            f"{folder} is not a model folder: no modules.json and no config.json",
            exists=f"there: {', '.join(sorted(path.name for path in folder.iterdir())[:12]) or 'nothing'}",
            hint="give the folder that SentenceTransformer.save_pretrained() wrote",
        )
    for inner in folders:
        for name in ("modules.json", "router_config.json"):
            _check_modules(inner / name, settings)
        _check_weights(inner, settings)


def _folders(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield a folder and all below it that a model can be loaded from, through links, but no loop twice."""
    real = folder.resolve()
    if real in above:
        return
    yield folder
    for inner in folder.iterdir():
        if inner.is_dir() and not _is_not_loaded(inner.name):
            yield from _folders(inner, above | {real})


def _is_not_loaded(name: str) -> bool:
    return name in _NOT_LOADED or name.startswith("checkpoint-")


def _check_modules(file: Path, settings: Settings) -> None:
    """Refuse classes that are not of sentence-transformers, and modules where no check would see them."""
    for module in _modules(file):
        if not module.type.startswith("sentence_transformers.") and not settings.trust_remote_code:
            raise HarnessError(
                f"{file} names code of its own: {module.type!r}",
                hint="--trust-remote-code runs it; only for a model whose author you trust",
            )
        if any(_is_not_loaded(part) for part in Path(module.path).parts):
            raise HarnessError(
                f"{file} keeps a module in {module.path!r}, a folder left out of the fingerprint",
                hint="rename it, there and in the file",
            )


def _modules(file: Path) -> list[_Module]:
    if not file.exists():
        return []
    try:
        if file.name == "modules.json":
            return msgspec.json.decode(file.read_bytes(), type=list[_Module])
        router = msgspec.json.decode(file.read_bytes(), type=_Router)
    except msgspec.DecodeError as error:
        raise HarnessError(f"{file} cannot be read: {error}") from error
    return [_Module(kind, path) for path, kind in router.types.items()]


def _check_weights(folder: Path, settings: Settings) -> None:
    """Refuse a folder whose weights could only come from a pickle."""
    pickled = sorted(
        path.name for path in folder.iterdir() if path.suffix in _PICKLED and path.name not in _NOT_DEFINING
    )
    safe = any((folder / name).exists() for name in _SAFE_WEIGHTS)
    if pickled and not safe and not settings.allow_pickle:
        raise HarnessError(
            f"{folder} has no model.safetensors: its weights are pickled ({', '.join(pickled)})",
            exists="loading a pickle can run any code that its author wrote",
            hint="save it again with safetensors, or pass --allow-pickle if you trust it",
        )
