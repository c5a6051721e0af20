"""Refuse entries of configurations that lead loading to files outside the model folder.

Such files are neither checked nor fingerprinted: two contents would share one fingerprint.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.fingerprint import is_not_loaded
from harness.models.trust.weights import is_plain_name

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES_A_TOKENIZER = re.compile(r"sentence_[\w-]+_config\.json|adapter_config\.json")
_SPECIAL_TOKENS = "special_tokens_map.json"
_OF_A_TOKENIZER = re.compile(rf"(tokenizer|(\w*_)?(pre)?processor)_config\.json|{re.escape(_SPECIAL_TOKENS)}")
"""Files whose entries become arguments of a tokenizer or a processor."""
_UNREAD = {"special_tokens_map_file"}
"""Keys with a path that is a leftover of saving, which is never read."""


def check_path(file: Path, path: str) -> None:
    """Refuse a module outside the folder of the file that lists it, or in a folder left out of the hash."""
    windows = PureWindowsPath(path)
    if windows.anchor or ".." in windows.parts or "\0" in path:
        raise HarnessError(f"{file} points outside its folder: {path!r}")
    if any(is_not_loaded(part) for part in PurePath(path).parts):
        raise HarnessError(
            f"{file} keeps a module in {path!r}, a folder left out of the fingerprint",
            hint="rename the folder, and its name in the file",
        )


def check_outside(file: Path, key: str, value: Any) -> None:  # noqa: ANN401 - JSON
    """Refuse an entry that makes a library read a file outside the folder; raises HarnessError."""
    if value is None:
        return
    name = file.name.lower()
    if key == "tokenizer_name_or_path" and value and _NAMES_A_TOKENIZER.fullmatch(name):
        raise HarnessError(
            f"{file} takes its tokenizer from outside the folder: {value!r}",
            hint="copy that tokenizer's files into the folder, and remove the line",
        )
    if key == "transformers_weights" and _is_not_weights(value):
        raise _outside_error(file, "its weights", key, value)
    if _OF_A_TOKENIZER.fullmatch(name) and _leads_outside(name, key, value):
        raise _outside_error(file, key, key, value)


def _leads_outside(name: str, key: str, value: Any) -> bool:  # noqa: ANN401 - JSON
    """Check whether an entry of a tokenizer's configuration is the path of a file elsewhere."""
    if (check := _ARGUMENTS.get(key)) is not None:
        return check(value)
    if not key.endswith("_file") or key in _UNREAD or not isinstance(value, str):
        return False
    # What stands there replaces the files of the folder, and is relative to the current one.
    return name == _SPECIAL_TOKENS or _is_elsewhere(value)


def _outside_error(file: Path, what: str, key: str, value: object) -> HarnessError:
    return HarnessError(
        f"{file} takes {what} from {str(value)!r}: only files next to it are read",
        hint=f"copy that file into the folder, and remove {key}",
    )


def _is_not_weights(value: Any) -> bool:  # noqa: ANN401 - JSON
    return not (is_plain_name(value) and value.endswith((".safetensors", ".safetensors.index.json")))


def _not_names(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Check whether a value is not a list of names of files of the same folder."""
    return not isinstance(value, list) or not all(map(is_plain_name, value))


def _holds_text(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Check for a text, alone or in a list: tokenizers open it as the path of a vocabulary."""
    return any(isinstance(item, str) for item in (value if isinstance(value, list) else [value]))


_ARGUMENTS: dict[str, Callable[[Any], bool]] = {
    "fast_tokenizer_files": _not_names,
    "init_inputs": _holds_text,
    "vocab": lambda value: isinstance(value, str),
    "merges": lambda value: isinstance(value, str),
    "audio_tokenizer_name_or_path": bool,
}
"""Arguments that name files, and the check whether a value leads out of the folder.

`vocab`, `merges` and `init_inputs` are arguments of a tokenizer, which takes a text for a path.
"""


def _is_elsewhere(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Check for the path of a file in another folder that exists on this machine.

    In tokenizer_config.json, transformers 5.23 reads none of these; earlier releases did. What does not
    exist is a leftover of the machine that saved the model.
    """
    if not isinstance(value, str) or "\0" in value or is_plain_name(value):
        return False
    try:
        return Path(value).is_file()
    except OSError:
        return False
