"""The folder that a training works in until its candidate is whole."""

from __future__ import annotations

import errno
import json
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError
from harness.system.atomic import locked, write_atomic
from harness.system.limits import read_json_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IDENTITY = "training.json"
"""Name of the file that says which training works in the folder."""
_LOCK = "lock"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""Errors that only writing raises."""
_UNWRITABLE = {
    errno.EACCES, errno.EEXIST, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR,
    errno.EPERM,
}  # fmt: skip
"""Errors of a path that cannot be written, which reading raises too; all others are faults of code."""


def work_folder(out: Path) -> Path:
    """Return the folder in which the training of a candidate works."""
    return out.parent / f"{out.name}.unfinished"


def is_unwritable(error: BaseException) -> bool:
    """Whether an error says that a file cannot be written, as `check_writes` takes it."""
    return isinstance(error, OSError) and error.errno in _FULL | _UNWRITABLE


@contextmanager
def open_work_folder(work: Path) -> Iterator[None]:
    """Make the folder, and keep other trainings out of it while the body runs.

    Raises HarnessError where another training works there, and where it cannot be written.
    """
    with check_writes(work), locked(work / _LOCK, seconds=0) as held:
        if not held:
            raise HarnessError(f"another training works in {work}", hint="wait for it, or pick another --out")
        yield


@contextmanager
def check_writes(work: Path) -> Iterator[None]:
    """Make the folder; an error of the body that says that it cannot be written becomes a HarnessError."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno not in (_FULL | _UNWRITABLE if _concerns(error, work) else _FULL):
            raise
        raise HarnessError(
            f"cannot train in {work}: {error.strerror or type(error).__name__}",
            exists=str(error.filename) if error.filename else None,
            hint="free the disk, or pick another --out; --resume continues what was begun",
        ) from error


def _concerns(error: OSError, work: Path) -> bool:
    """Whether an error may concern the folder, what is in it, or a folder on the way to it."""
    if error.filename is None:
        return True
    path, work = Path(str(error.filename)).absolute(), work.absolute()
    return path.is_relative_to(work) or work.is_relative_to(path)


def check_identity(work: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
    """Write down which training works in the folder, or check that it is the one that began there.

    Raises HarnessError where an unfinished training is to be begun again, or is another one.
    """
    if not check_unfinished(work, identity, resume=resume):
        write_atomic(work / _IDENTITY, [json.dumps(identity, indent=1).encode()])


def check_unfinished(work: Path, identity: Mapping[str, Any], *, resume: bool) -> bool:
    """Return whether an unfinished training is in the folder that may be continued; changes nothing.

    identity: may be a part of one. Raises HarnessError as `check_identity` does.
    """
    path = work / _IDENTITY
    identity = json.loads(json.dumps(identity))
    if not path.is_file():
        return False
    before = _read_identity(path)
    if not resume:
        raise HarnessError(
            f"an unfinished training is in {work}", hint="--resume continues it; remove it to begin anew"
        )
    changed = [name for name in identity if before.get(name) != identity[name]]
    if changed:
        raise HarnessError(
            f"the unfinished training in {work} is not the same: {', '.join(changed)} changed",
            hint="give the same options as before, or remove the folder to begin anew",
        )
    return True


def is_of_training(work: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a training with this identity worked in the folder, or nothing of one is left in it."""
    path = work / _IDENTITY
    if path.is_file():
        return bool(_read_identity(path) == json.loads(json.dumps(identity)))
    return {entry.name for entry in work.iterdir()} <= {_LOCK}


def remove_work_folder(work: Path) -> None:
    """Remove the folder of a finished training, last what says which one: a kill may come in between."""
    with suppress(OSError):
        for path in work.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != _IDENTITY:
                path.unlink()
    shutil.rmtree(work, ignore_errors=True)


def _read_identity(path: Path) -> Mapping[str, Any]:
    try:
        before = read_json_file(path)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        before = error
    if not isinstance(before, dict):
        raise HarnessError(
            f"{path} is damaged: it does not say which training is unfinished",
            hint=f"remove {path.parent} to begin anew",
        )
    return before
