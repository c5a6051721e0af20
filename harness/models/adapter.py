"""Adapters of PEFT: weights that change those of a base model, which lies elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from harness.errors import HarnessError
from harness.models.modules import is_there, read_configuration, transformer_folders
from harness.system.extras import require_extra

CONFIGURATION = "adapter_config.json"
_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def adapters_in(folder: Path) -> list[Path]:
    """Return the configurations of the adapters that loading a model folder applies: usually none."""
    files = (inner / CONFIGURATION for inner in transformer_folders(folder))
    return [file for file in files if file.is_file()]


def bases_of(folder: Path) -> list[Path]:
    """Return the folders of the bases that the adapters of a model name; none for a whole model.

    Raises HarnessError where a base is neither a folder nor in the hub's cache, or is an adapter itself.
    """
    return [_base_of(file) for file in adapters_in(folder)]


def check_adapters(folder: Path) -> None:
    """Raise HarnessError where a model has adapters and the library that applies them is not installed."""
    if files := adapters_in(folder):
        merge = "merge the adapter into its base: model.merge_and_unload(), then save_pretrained()"
        require_extra("peft", "adapters", f"the adapter {files[0].parent}", otherwise=merge)


def _base_of(file: Path) -> Path:
    content = read_configuration(file)
    name = content.get("base_model_name_or_path") if isinstance(content, dict) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise HarnessError(
            f"{file} does not name the base of the adapter",
            hint='write "base_model_name_or_path": a folder, or a model in the hub\'s cache',
        )
    # As transformers looks for it: a folder, relative to the current one, wins over the hub's cache.
    base = Path(name) if is_there(Path(name)) and Path(name).is_dir() else _cached(name, file)
    if (base / CONFIGURATION).is_file():
        raise HarnessError(
            f"{file} names a base that is an adapter itself: {base}",
            hint="merge that one first: model.merge_and_unload(), then save_pretrained()",
        )
    if not (base / "config.json").is_file():
        raise HarnessError(f"{file} names a base that is not a model folder: {base} has no config.json")
    return base


def _cached(name: str, file: Path) -> Path:
    """Return the folder of a model in the hub's cache; nothing is fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        if _HUB_ID.fullmatch(name):
            return Path(snapshot_download(name, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError, OSError):
        pass
    raise HarnessError(
        f"{file.parent} is an adapter, and its base is missing: {name} is neither a folder nor in the hub's"
        " cache",
        hint=f'fetch the base, or write the path of its folder into {file.name}: "base_model_name_or_path"',
    )
