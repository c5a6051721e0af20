"""Files, fingerprint and size of a model folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING

import msgspec

from harness.models.adapter import bases_of
from harness.models.interface import PERMISSIONS, changed_settings
from harness.models.modules import is_model2vec
from harness.system.file_digest import file_digest
from harness.system.limits import FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.models.interface import Settings

PICKLED = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt"}
_DEFINING = {
    ".codes", ".jinja", ".json", ".model", ".py", ".safetensors", ".spm", ".tiktoken", ".tokenizer", ".txt",
} | PICKLED  # fmt: skip
"""Suffixes of the files that embeddings depend on; not the README, pictures or logs."""
NOT_DEFINING = {"trainer_state.json", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth"}
NOT_DEFINING |= {
    "data_config.json",
    "lineage.json",
    "model_index.json",
    "eval_results.json",
    "all_results.json",
}
_NOT_LOADED = {"onnx", "openvino", "eval", ".git", ".cache", "checkpoints"}
"""Folders of other backends and of training, besides `checkpoint-*`: a module may not be in one."""


def fingerprint_model(folder: Path) -> str:
    """Return the hex SHA-256 of a model folder and, where it is an adapter, of its base's too.

    Raises HarnessError where the base is missing.
    """
    bases = bases_of(folder)
    if not bases:
        return fingerprint_folder(folder)
    parts = "\n".join(map(fingerprint_folder, [folder, *bases]))
    return hashlib.sha256(parts.encode()).hexdigest()


def fingerprint_folder(folder: Path) -> str:
    """Return the hex SHA-256 of every file that the embeddings depend on, with its path below the folder."""
    digest = hashlib.sha256()
    for path in defining_files(folder):
        content = _content_hash(path)
        named = f"{path.relative_to(folder).as_posix()}\0{content}\n"
        digest.update(named.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _content_hash(path: Path) -> str:
    """Return the hex SHA-256 of a file, of a transformer's tokenizer without what its last use left in it."""
    of_transformer = (path.parent / "config.json").is_file() and not is_model2vec(path.parent)
    if path.name == "tokenizer.json" and of_transformer:
        return hashlib.sha256(_without_last_use(path.read_bytes())).hexdigest()
    return file_digest(path)


class _LastUse(msgspec.Struct):
    """What a tokenizer of `tokenizers` saves of how it cut and padded its last texts."""

    truncation: msgspec.Raw = msgspec.Raw(b"null")
    padding: msgspec.Raw = msgspec.Raw(b"null")


class _Side(msgspec.Struct):
    direction: str = "Right"


def _without_last_use(content: bytes) -> bytes:
    """Return a tokenizer's file with null for truncation and padding on the right.

    transformers sets both before each call, so that no embedding depends on them; but it takes a side that
    no other file names from here. A model that is saved after it has encoded differs in them alone.
    """
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        used = msgspec.json.decode(content, type=_LastUse)
        for raw in (bytes(used.truncation), bytes(used.padding)):
            side = msgspec.json.decode(raw, type=_Side | None)
            if side is not None and side.direction == "Right":
                content = content.replace(raw, b"null", 1)
    return content


def fingerprint_with_settings(fingerprint: str, settings: Settings) -> str:
    """Return the hex SHA-256 of a model's content and of the settings that change its scores.

    The device's name is not among them, and no setting at its default is. Those of storage never are: see
    `models.stored_model`.
    """
    moving = {name: value for name, value in changed_settings(settings).items() if name not in PERMISSIONS}
    return hashlib.sha256(f"{fingerprint}\n{json.dumps(moving, sort_keys=True)}".encode()).hexdigest()


def defining_files(folder: Path) -> list[Path]:
    """Return the files that the embeddings depend on, sorted."""
    return sorted(
        path
        for inner in model_folders(folder)
        for path in inner.iterdir()
        if path.suffix.lower() in _DEFINING and path.name not in NOT_DEFINING and path.is_file()
    )


def weights_size(folder: Path) -> int:
    """Return the bytes of the weights on disk, a base's included; where both exist, of safetensors alone."""
    files = [file for each in (folder, *bases_of(folder)) for file in defining_files(each)]
    safe = [path for path in files if path.suffix == ".safetensors"]
    return sum(path.stat().st_size for path in safe or [path for path in files if path.suffix in PICKLED])


def model_folders(folder: Path) -> Iterator[Path]:
    """Yield a folder and all below it that a model can be loaded from, through links; a loop ends.

    Raises HarnessError where there are more than a model can have, for example where a link leads to a whole
    disk.
    """
    for count, inner in enumerate(_below(folder, frozenset()), 1):
        FOLDERS.check(count, folder)
        yield inner


def is_not_loaded(name: str) -> bool:
    """Check whether a folder of this name belongs to another backend, or to training."""
    # A Mac finds the folder onnx under the name ONNX too.
    return name.lower() in _NOT_LOADED or name.lower().startswith("checkpoint-")


def _below(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:
        return
    yield folder
    for inner in folder.iterdir():
        if inner.is_dir() and not is_not_loaded(inner.name):
            yield from _below(inner, above | {real})
