"""Refuse configurations in a model folder that name code, or files outside the folder.

These are the entries that sentence-transformers 6 and transformers 5 act on. Entries that they would refuse
themselves are refused here first, with the code that would run, and before torch is imported.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.fingerprint import NOT_DEFINING
from harness.models.modules import MODULES, listed_in, read_configuration
from harness.models.trust.outside import check_outside, check_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.models.modules import ListedModule

_IGNORED = NOT_DEFINING | {"tokenizer.json", "vocab.json"}
"""Large files, read by libraries that run no code from them."""
_OF_THE_LIBRARY = r"sentence_transformers(\.[a-z_]+_encoder|\.base|\.sentence_transformer)?\.(models|modules)"
_MODULE = re.compile(rf"{_OF_THE_LIBRARY}(\.\w+)?\.({'|'.join(sorted(MODULES))})")
_LOST_MODULE = re.compile(rf"{_OF_THE_LIBRARY}(\.\w+)?\.[A-Z]\w*")
"""What looks like a module of the library: those of its first releases, and those of later ones."""
_OLD_TRANSFORMERS = {
    "ALBERT", "BERT", "CamemBERT", "DistilBERT", "RoBERTa", "T5", "XLMRoBERTa", "XLNet",
}  # fmt: skip
"""Classes of the first releases, one per architecture, which became `Transformer`."""
_WORDS = re.compile(
    rf"{_OF_THE_LIBRARY}\.tokenizer(\.\w+)?"
    r"\.(WhitespaceTokenizer|WordTokenizer|PhraseTokenizer|TransformersTokenizerWrapper)"
)
_ACTIVATION = re.compile(r"torch\.nn\.(modules\.\w+\.)?[A-Z]\w*")
_METHOD = re.compile(r"forward|get_[a-z]+_features")
_LIBRARY_OPTIONS = re.compile(r"(model|processor|tokenizer|config)_(args|kwargs)")
_OUTSIDE_OPTIONS = {
    "_configuration_file", "adapter_kwargs", "allow_all_kernels", "config", "gguf_file", "init_inputs",
    "kernel_config", "merges", "offload_folder", "proxies", "quantization_config", "state_dict",
    "tokenizer_object", "use_kernels", "variant", "vocab", "weights_only",
}  # fmt: skip
"""Options of from_pretrained that make it read other files than those that are checked here."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a configuration: its file, its key, its value."""

    file: Path
    key: str
    value: Any


def check_configurations(folder: Path, *, trusted: bool) -> None:
    """Refuse a folder whose JSON files name code, or files outside the folder.

    trusted: whether code was allowed; outside files are refused nevertheless.
    Raises HarnessError that names file and code.
    """
    for file in sorted(folder.iterdir()):
        # A Mac finds config.json under the name CONFIG.JSON too.
        name = file.name.lower()
        if not name.endswith(".json") or name in _IGNORED or not file.is_file():
            continue
        content = read_configuration(file)
        for module in listed_in(file, content):
            check_path(file, module.path)
            _check_class(module, trusted=trusted)
        for entry in _entries(file, content):
            check_outside(file, entry.key, entry.value)
            if not trusted:
                _check_code(entry)


def _check_class(module: ListedModule, *, trusted: bool) -> None:
    """Refuse a module whose class is not of sentence-transformers, or no longer."""
    if _MODULE.fullmatch(module.kind):
        return
    if _LOST_MODULE.fullmatch(module.kind):
        raise _lost_module_error(module)
    if not trusted:
        raise _code_error(module.file, repr(module.kind))


def _lost_module_error(module: ListedModule) -> HarnessError:
    hint = "load it with the release that saved it, and save it as modules of this one; or upgrade"
    if module.name in _OLD_TRANSFORMERS:
        hint = (
            f"it was a transformer: write sentence_transformers.models.Transformer in place of {module.kind},"
            " which reads the same files"
        )
    return HarnessError(
        f"{module.file} names a module that sentence-transformers does not have: {module.kind}",
        exists=f"modules: {', '.join(sorted(MODULES))}",
        hint=hint,
    )


def _entries(file: Path, content: Any) -> Iterator[_Entry]:  # noqa: ANN401 - JSON
    """Yield every entry of every object in a file."""
    todo = [content]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            yield from (_Entry(file, key, inner) for key, inner in value.items())
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _check_code(entry: _Entry) -> None:
    """Refuse an entry that names code, or that sets options which are not checked."""
    find_code = _CODE_FINDERS.get(entry.key)
    if find_code is not None and (code := find_code(entry.value)):
        raise _code_error(entry.file, code)
    if entry.key == "modality_config" and isinstance(entry.value, dict):
        for modality in entry.value.values():
            method = modality.get("method", "forward") if isinstance(modality, dict) else modality
            if not isinstance(method, str) or not _METHOD.fullmatch(method):
                raise _code_error(entry.file, repr(method))
    if _LIBRARY_OPTIONS.fullmatch(entry.key) and isinstance(entry.value, dict):
        unchecked = {key for key in entry.value if key in _OUTSIDE_OPTIONS or key.endswith("_file")}
        if entry.value.get("use_safetensors") is False:
            unchecked.add("use_safetensors")
        if unchecked:
            options = ", ".join(sorted(unchecked))
            raise HarnessError(
                f"{entry.file} sets options that are not checked: {options} in {entry.key}",
                hint="--trust-remote-code takes them as they are; only for a model whose author you trust",
            )


def _whole(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return all of a value that names code wherever it is not empty, or an empty text."""
    return json.dumps(value, ensure_ascii=False)[:200] if value else ""


def _dotted(allowed: re.Pattern[str]) -> Callable[[Any], str]:
    """Make a check of a class that is named with its module."""
    return lambda value: repr(value) if "." in str(value) and not allowed.fullmatch(str(value)) else ""


def _kernel(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return the hub's kernel that a value names, or an empty text: code, fetched when a model is loaded."""
    return repr(value) if "/" in str(value) else ""


_CODE_FINDERS: dict[str, Callable[[Any], str]] = {
    "auto_map": _whole,
    "tokenizer_class": _dotted(_WORDS),
    "activation_function": _dotted(_ACTIVATION),
    "attn_implementation": _kernel,
    "_attn_implementation": _kernel,
    "_attn_implementation_internal": _kernel,
    "experts_implementation": _kernel,
    "_experts_implementation": _kernel,
    "megatron_config": _whole,
}
"""Keys that name code, wherever they occur, and what finds it: text to show, or an empty text."""


def _code_error(file: Path, code: str) -> HarnessError:
    return HarnessError(
        f"{file} names custom code: {code}",
        hint="--trust-remote-code runs it; only for a model whose author you trust",
    )
