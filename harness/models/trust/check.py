"""Check a model folder before anything in it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.adapter import CONFIGURATION, bases_of, check_adapters
from harness.models.complete import check_complete
from harness.models.fingerprint import model_folders
from harness.models.trust.configuration import check_configurations
from harness.models.trust.weights import check_weights

if TYPE_CHECKING:
    from pathlib import Path

    from harness.models.interface import Settings


def check_folder(folder: Path, settings: Settings) -> None:
    """Refuse a folder that is not a model, is incomplete, or brings pickles, code or outside files unallowed.

    The base of an adapter is checked likewise.

    Links are followed: a hub's cache is made of them, and an author who can add a link can add the file.
    Raises HarnessError that names the file, and the option that would accept it.
    """
    if not any((folder / name).is_file() for name in ("modules.json", "config.json", CONFIGURATION)):
        raise HarnessError(
            f"{folder} is not a model folder: no modules.json and no config.json",
            exists=f"there: {', '.join(sorted(path.name for path in folder.iterdir())[:12]) or 'nothing'}",
            hint="give the folder that SentenceTransformer.save_pretrained() wrote",
        )
    _check_content(folder, settings)
    check_adapters(folder)
    for base in bases_of(folder):
        _check_content(base, settings)
    check_complete(folder)


def _check_content(folder: Path, settings: Settings) -> None:
    """Refuse pickles, code and outside files in a folder and those below it."""
    for inner in list(model_folders(folder)):
        check_configurations(inner, trusted=settings.trust_remote_code)
        check_weights(inner, allow_pickle=settings.allow_pickle)
