"""Weights that are loaded without running anything: what counts as such, and whether it is whole."""

from __future__ import annotations

import json
import math
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from harness.errors import HarnessError
from harness.models.fingerprint import NOT_DEFINING, PICKLED
from harness.models.trust.pickles import pickled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SAFE = ".safetensors"
_INDEX = ".index.json"
_LARGEST_HEADER = 100_000_000
"""Bytes of a header that the safetensors library reads."""
_LENGTH = 8
_MOST_AXES = 64
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
    "U64": 64, "I64": 64, "F64": 64, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class _Tensor(msgspec.Struct):
    """An entry of a safetensors header."""

    dtype: str
    shape: list[Annotated[int, msgspec.Meta(ge=0)]]
    data_offsets: tuple[int, int]


def check_weights(folder: Path, *, allow_pickle: bool) -> None:
    """Refuse a folder of a module whose weights are, or could be, unpickled; raises HarnessError.

    Beside a `model.safetensors` or an index of such, what is pickled is never read, and may lie there.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name not in NOT_DEFINING)
    for path in files:
        if path.name.lower().endswith(_INDEX):
            _check_index(path, allow_pickle=allow_pickle)
    if allow_pickle:
        return
    for path in files:
        if path.suffix.lower() == _SAFE and (kind := pickled(path)):
            raise _refused(f"{path} is {kind}, whatever its name says")
    names = {path.name for path in files}
    sharded = f"model{_SAFE}{_INDEX}" in names and "pytorch_model.bin" not in names
    if f"model{_SAFE}" in names or sharded:
        return
    named = [path.name for path in files if path.suffix.lower() in PICKLED]
    if named:
        raise _refused(f"{folder} has no model.safetensors: its weights are pickled ({', '.join(named)})")
    for path in files:
        if kind := pickled(path):
            raise _refused(f"{path} is {kind}, whatever its name says")


def check_headers(folder: Path) -> None:
    """Raise HarnessError for safetensors whose header is not true of the file, before any memory is taken."""
    for path in sorted(folder.glob(f"*{_SAFE}")):
        if path.is_file() and (problem := _problem(path)):
            raise HarnessError(
                f"{path} is not a whole safetensors file: {problem}", hint="copy or download it again"
            )


def plain_name(name: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether something is the name of a file in the same folder, here and on Windows."""
    return (
        isinstance(name, str)
        and name not in ("", ".", "..")
        and "\0" not in name
        and PurePosixPath(name).name == name == PureWindowsPath(name).name
    )


def _refused(message: str) -> HarnessError:
    return HarnessError(
        message,
        exists="loading a pickle can run any code that its author wrote",
        hint="save it again with safetensors, or pass --allow-pickle if you trust it",
    )


def _check_index(path: Path, *, allow_pickle: bool) -> None:
    """Refuse shards that lie elsewhere, and pickled ones under a safe name."""
    try:
        found = json.loads(path.read_bytes())
        named = set(found["weight_map"].values())
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise HarnessError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    for shard in sorted(named, key=repr):
        if not plain_name(shard):
            raise HarnessError(f"{path} leads out of its folder, to {shard!r}")
        if path.name.lower().endswith(f"{_SAFE}{_INDEX}") and not shard.endswith(_SAFE) and not allow_pickle:
            raise _refused(f"{path} names weights that are no safetensors: {shard!r}")


def _problem(path: Path) -> str | None:
    """What is wrong with a safetensors file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH), "little")
        room = size - _LENGTH - length
        if length > _LARGEST_HEADER:
            return f"its header would have {length:,} bytes"
        if room < 0:
            return f"it ends within its header, after {size:,} bytes"
        try:
            header = msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
            header.pop("__metadata__", None)
            tensors = {name: msgspec.json.decode(raw, type=_Tensor) for name, raw in header.items()}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"its header cannot be read: {error}"
    return next(_untrue(tensors, room), None)


def _untrue(tensors: dict[str, _Tensor], room: int) -> Iterator[str]:
    for name, tensor in tensors.items():
        begin, end = tensor.data_offsets
        if not 0 <= begin <= end <= room:
            yield f"tensor {name!r} lies at bytes {begin:,} to {end:,} of {room:,}"
        if len(tensor.shape) > _MOST_AXES:
            yield f"tensor {name!r} has {len(tensor.shape)} dimensions"
        elif (bits := _BITS.get(tensor.dtype)) and math.prod(tensor.shape) * bits != 8 * (end - begin):
            yield f"tensor {name!r} of {tensor.dtype} {tensor.shape} does not fill its {end - begin:,} bytes"
