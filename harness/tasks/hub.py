"""Datasets on the Hugging Face hub: files of a pinned revision, from the hub's cache or online.

Nothing of a dataset is executed: one that needs a script of its own, or is pickled, is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.system.compression import COMPRESSIONS
from harness.tasks.hub_files import cached_arrow_files, split_files
from harness.tasks.readers import FORMATS, format_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_ID = re.compile(r"[\w.-]+/[\w.-]+")
_REVISION = re.compile(r"\w[\w./-]*")
_NAME = re.compile(r"[^\x00-\x1f/\\*?\[\]]+(?<!\.\.)")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz")
_PATIENCE = 10.0
"""Maximum seconds to wait for an answer of the hub."""
_WANTED = (
    "README.md",
    *(f"*.{ending}" for ending in (*FORMATS, "qrels")),
    *(f"*.{ending}.{compression}" for ending in FORMATS for compression in COMPRESSIONS),
)
"""What is fetched of a dataset: its card, which says where splits are, and files of rows."""
_CONVERTED = "many have a copy that can be read: revision = 'refs/convert/parquet' in a task file"


@dataclass(frozen=True, slots=True)
class HubDataset:
    """A dataset on the hub: what `--data hub` reads for a task, or what a task file names."""

    id: str
    """ORG/NAME."""
    revision: str = "main"
    """The commit, 40 digits; anything else may become other data, and the record says which commit it was."""
    config: str | None = None
    """The subset; None for the only one, or the default."""
    split: str | None = None
    """Its name on the hub, where that is not the name of the task's split."""
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Our name of a column → the dataset's."""
    verified: bool = False
    """Whether the revision was read with this declaration by those who pinned it; records say so if not."""
    only: bool = False
    """Whether the task has no other source, since a task file names this one; `--data` does not matter."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise HarnessError(f"{self.id!r} is not the id of a dataset", hint="ids are ORG/NAME")
        if not _REVISION.fullmatch(self.revision) or ".." in self.revision:
            raise HarnessError(
                f"{self.revision!r} is not a revision of a dataset", hint="a commit, or a branch"
            )
        if self.config is not None and not _NAME.fullmatch(self.config):
            raise HarnessError(f"{self.config!r} is not a configuration of a dataset")

    @property
    def name(self) -> str:
        """ORG/NAME@REVISION, with the commit as soon as it is known: what a record names."""
        found = _known.get((self.id, self.revision))
        return f"{self.id}@{found.name if found else self.revision}"

    def folder(self) -> Path:
        """Return the folder of the revision's files in the hub's cache; those that are missing are fetched.

        Raises HarnessError where they are neither in the cache nor within reach, or need code to be read.
        """
        # The cache may hold some of the files: only the hub knows which there are.
        local = _local(self.id, self.revision) if _is_offline() or self._fetched else None
        return local or _fetch(self.id, self.revision)

    @property
    def _fetched(self) -> bool:
        return (self.id, self.revision) in _complete

    def files(self, split: str) -> list[Path]:
        """Return the files of a split, in order: of the revision, or as `datasets` has cached it before.

        Raises HarnessError as `folder` does, and for a split, a configuration or a format that is unknown.
        """
        failure = None
        if (folder := _local(self.id, self.revision)) is not None:
            try:
                return self._checked(split_files(self.id, folder, split, self.config))
            except HarnessError as error:
                # Another program may have fetched other files of this revision alone.
                failure = error
        if is_commit(self.revision) and (
            files := cached_arrow_files(self.id, self.revision, split, self.config)
        ):
            return files
        if failure and _is_offline():
            raise failure
        return self._checked(split_files(self.id, _fetch(self.id, self.revision), split, self.config))

    def _checked(self, files: list[Path]) -> list[Path]:
        """Return files of a format that is read; raises HarnessError for a pickle, a picture, an archive."""
        for file in files:
            if format_of(file) is None:
                pickled = file.suffix.lower() in _PICKLED
                why = "a pickle runs code when it is read" if pickled else "unknown format"
                raise HarnessError(
                    f"the dataset {self.id} has the file {file.name}, which is not read: {why}",
                    exists=f"known: {', '.join(FORMATS)}",
                    hint=_CONVERTED,
                )
        return files

    def findings(self) -> tuple[Finding, ...]:
        """Return what a reader of a score on this dataset must know of its revision."""
        if self.only and not is_commit(self.revision):
            commit = self.name.rpartition("@")[2]
            code, remedy = "hub-revision-unpinned", f"revision = {commit!r} pins it"
            evidence = f"{self.id} was read at {self.revision}, now {commit}, which may become other data"
        elif self.only or self.verified:
            return ()
        else:
            code, remedy = "hub-revision-unverified", "compare its rows with those that you expect"
            evidence = f"{self.name} was pinned without a network: it has not been read with this declaration"
        return (Finding(code, Severity.NOTE, evidence, remedy),)


_known: dict[tuple[str, str], Path] = {}
"""(id, revision) → the snapshot that was read in this process."""
_complete: set[tuple[str, str]] = set()
"""(id, revision) of the snapshots that were fetched as a whole in this process, or could not be."""


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, and so always the same data."""
    return _COMMIT.fullmatch(revision) is not None


def _local(name: str, revision: str) -> Path | None:
    """Return the snapshot that is in the cache, if it needs not be asked for on the network."""
    if (known := _known.get((name, revision))) is not None and known.is_dir():
        return known
    if not is_commit(revision) and not _is_offline():
        return None  # a branch may have moved
    cached = _cached(name, revision)
    return _noted(name, revision, cached) if cached else None


def _cached(name: str, revision: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, repo_type="dataset", revision=revision, local_files_only=True))
    except HFValidationError as error:
        raise HarnessError(f"{name!r} is not a dataset: {error}", hint="ids are ORG/NAME") from error
    except (LocalEntryNotFoundError, OSError):
        return None


def _fetch(name: str, revision: str) -> Path:
    """Download the files of rows of a revision into the hub's cache.

    Where that cannot be, what is in the cache is returned; raises HarnessError if there is nothing.
    """
    if _is_offline():
        raise _missing(name, revision, "HF_HUB_OFFLINE is set")
    from huggingface_hub import HfApi, snapshot_download

    script = f"{name.rpartition('/')[2]}.py"  # it is looked for, to refuse the dataset, and never run
    try:
        # It asks once, where a download asks six times.
        found = HfApi().dataset_info(name, revision=revision, timeout=_PATIENCE)
        folder = snapshot_download(
            name,
            repo_type="dataset",
            revision=found.sha or revision,
            allow_patterns=[*_WANTED, script],
            etag_timeout=_PATIENCE,
        )
    except Exception as error:  # errors of the network are another library's in each version
        if (cached := _cached(name, revision)) is not None:
            _complete.add((name, revision))
            return _noted(name, revision, cached)
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise _missing(name, revision, reason) from error
    _complete.add((name, revision))
    return _noted(name, revision, Path(folder))


def _noted(name: str, revision: str, folder: Path) -> Path:
    """Return a snapshot, and remember it; raises HarnessError for one that needs code to be read."""
    script = folder / f"{name.rpartition('/')[2]}.py"
    if script.is_file():
        raise HarnessError(
            f"the dataset {name} is read by a script of its own ({script.name}), and harness runs no code of"
            " datasets",
            hint=_CONVERTED,
        )
    _known[name, revision] = folder
    return folder


def _missing(name: str, revision: str, reason: str) -> HarnessError:
    from huggingface_hub import constants

    command = f"hf download --repo-type dataset {name} --revision {revision}"
    return HarnessError(
        f"the dataset {name} is not in the hub's cache at revision {revision}, and is not fetched: {reason}",
        exists=f"cache: {constants.HF_HUB_CACHE} (HF_HOME or HF_HUB_CACHE moves it)",
        hint=f"where there is a network, run without HF_HUB_OFFLINE, or fetch it into the cache: {command}",
    )


def _is_offline() -> bool:
    import os

    from huggingface_hub import constants

    # `harness status` sets it after the library may have been imported.
    said = os.environ.get("HF_HUB_OFFLINE", "").upper()
    return bool(constants.HF_HUB_OFFLINE) or said in ("1", "ON", "YES", "TRUE")
