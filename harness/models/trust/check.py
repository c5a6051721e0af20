"""Check a model folder before anything in it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.fingerprint import model_folders
from harness.models.trust.configuration import check_configurations
from harness.models.trust.weights import check_weights

if TYPE_CHECKING:
    from pathlib import Path

    from harness.models.interface import Settings


def check_folder(folder: Path, settings: Settings) -> None:
    """Refuse a folder that is not a model, or that brings pickles, code or outside files unallowed.

    Links are followed: a hub's cache is made of them, and an author who can add a link can add the file.
    Raises HarnessError that names the file, and the option that would accept it.
    """
    folders = list(model_folders(folder))
    if any((inner / "adapter_config.json").exists() for inner in folders):
        raise HarnessError(
            f"{folder} is a PEFT adapter and not a whole model: its base is missing",
            hint="merge it first: model.merge_and_unload(), then save_pretrained()",
        )
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise HarnessError(
            f"{folder} is not a model folder: no modules.json and no config.json",
            exists=f"there: {', '.join(sorted(path.name for path in folder.iterdir())[:12]) or 'nothing'}",
            hint="give the folder that SentenceTransformer.save_pretrained() wrote",
        )
    for inner in folders:
        check_configurations(inner, trusted=settings.trust_remote_code)
        check_weights(inner, allow_pickle=settings.allow_pickle)
