"""Check that weights load without running code, and that safetensors files are valid."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.fingerprint import NOT_DEFINING, PICKLED
from harness.models.trust.pickles import pickle_kind
from harness.system.git_lfs import is_pointer, pointer_error

if TYPE_CHECKING:
    from pathlib import Path

_SAFE = ".safetensors"
_INDEX = ".index.json"


def check_weights(folder: Path, *, allow_pickle: bool) -> None:
    """Refuse a folder of a module whose weights are, or could be, unpickled; raises HarnessError.

    Next to a `model.safetensors` or an index of such, a pickle is never read, and is accepted.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in NOT_DEFINING)
    for path in files:
        if path.name.lower().endswith(_INDEX):
            _check_index(path, allow_pickle=allow_pickle)
    if allow_pickle:
        return
    for path in files:
        if path.suffix.lower() == _SAFE and (kind := pickle_kind(path)):
            raise _pickle_error(f"{path} is {kind}, despite its name")
    names = {path.name for path in files}
    sharded = f"model{_SAFE}{_INDEX}" in names and "pytorch_model.bin" not in names
    if f"model{_SAFE}" in names or sharded:
        return
    pickles = [path.name for path in files if path.suffix.lower() in PICKLED]
    if pickles:
        raise _pickle_error(
            f"{folder} has no model.safetensors: its weights are pickled ({', '.join(pickles)})"
        )
    for path in files:
        if kind := pickle_kind(path):
            raise _pickle_error(f"{path} is {kind}, despite its name")


def check_safetensors(folder: Path) -> None:
    """Refuse safetensors files that are cut off, or whose header contradicts their size.

    Reads headers only, no tensor. Raises HarnessError with the file and the reason.
    """
    from safetensors import SafetensorError, safe_open

    for path in sorted(path for path in folder.glob(f"*{_SAFE}") if path.is_file()):
        try:
            with safe_open(path, framework="numpy"):
                pass
        except SafetensorError as error:
            reason = str(error).removeprefix("Error while deserializing header: ")
            if is_pointer(path):
                raise pointer_error(path, "the weights") from error
            raise HarnessError(
                f"{path} is not a valid safetensors file: {reason}", hint="copy or download it again"
            ) from error


def is_plain_name(name: Any) -> bool:  # noqa: ANN401 - JSON
    """Check whether something is the name of a file in the same folder, here and on Windows."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and "\0" not in name
        and PurePosixPath(name).name == name == PureWindowsPath(name).name
    )


def _pickle_error(message: str) -> HarnessError:
    return HarnessError(
        message,
        exists="loading a pickle can run any code that its author wrote",
        hint="save it again with safetensors, or pass --allow-pickle if you trust it",
    )


def _check_index(path: Path, *, allow_pickle: bool) -> None:
    """Refuse shards outside the folder, and pickled shards in an index of safetensors."""
    try:
        index = json.loads(path.read_bytes())
        shards = set(index["weight_map"].values())
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise HarnessError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    for shard in sorted(shards, key=repr):
        if not is_plain_name(shard):
            raise HarnessError(f"{path} points outside its folder: {shard!r}")
        if path.name.lower().endswith(f"{_SAFE}{_INDEX}") and not shard.endswith(_SAFE) and not allow_pickle:
            raise _pickle_error(f"{path} names weights that are not safetensors: {shard!r}")
