"""What a model folder is made of: its fingerprint, its size, and whether it is safe to load."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.interfaces import Settings

_DEFINING = {
    ".json",
    ".txt",
    ".model",
    ".safetensors",
    ".bin",
    ".pt",
    ".pth",
    ".jinja",
    ".py",
    ".tiktoken",
    ".spm",
}
"""Endings of the files that embeddings depend on; not the README, pictures or logs."""
_NOT_DEFINING = {"trainer_state.json", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth"}
_NOT_DEFINING |= {
    "data_config.json",
    "lineage.json",
    "model_index.json",
    "eval_results.json",
    "all_results.json",
}
_OTHER_BACKENDS = {"onnx", "openvino", "eval", ".git", ".cache", "checkpoints"}
_PICKLED = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}


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
    del moving["device"], moving["allow_pickle"], moving["trust_remote_code"]
    return hashlib.sha256(f"{fingerprint}\n{json.dumps(moving, sort_keys=True)}".encode()).hexdigest()


def defining_files(folder: Path) -> list[Path]:
    """Return the files that the embeddings depend on, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in _DEFINING
        and path.name not in _NOT_DEFINING
        and not _OTHER_BACKENDS.intersection(path.relative_to(folder).parts[:-1])
        and not path.relative_to(folder).parts[0].startswith("checkpoint-")
        and path.is_file()
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
    if any(folder.rglob("adapter_config.json")):
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
    modules = _modules(folder)
    for module in modules:
        kind = str(module.get("type", ""))
        if not kind.startswith("sentence_transformers.") and not settings.trust_remote_code:
            raise HarnessError(
                f"{folder}/modules.json names code of its own: {kind!r}",
                hint="--trust-remote-code runs it; only for a model whose author you trust",
            )
    inside = [folder / str(module.get("path", "")) for module in modules] or [folder]
    for part in inside:
        _check_weights(part, settings)


def _modules(folder: Path) -> list[dict[str, Any]]:
    path = folder / "modules.json"
    if not path.exists():
        return []
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise HarnessError(f"{path} cannot be read: {error}") from error


def _check_weights(part: Path, settings: Settings) -> None:
    if not part.is_dir():
        return
    pickled = sorted(
        path.name for path in part.iterdir() if path.suffix in _PICKLED and path.name not in _NOT_DEFINING
    )
    if pickled and not any(part.glob("*.safetensors")) and not settings.allow_pickle:
        raise HarnessError(
            f"{part} has no model.safetensors: its weights are pickled ({', '.join(pickled)})",
            exists="loading a pickle can run any code that its author wrote",
            hint="save it again with safetensors, or pass --allow-pickle if you trust it",
        )
