"""Refuse configurations in a model folder that name code, or files outside the folder.

These are the entries that sentence-transformers 6 and transformers 5 act on. Entries that they would refuse
themselves are refused here first, with the code that would run, and before torch is imported.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.models.fingerprint import NOT_DEFINING, is_not_loaded
from harness.models.trust.weights import is_plain_name
from harness.system.limits import DEPTH, RECORD, check_nesting, read_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_IGNORED = NOT_DEFINING | {"tokenizer.json", "vocab.json"}
"""Large files, read by libraries that run no code from them."""
MODULES = {
    "Asym", "BoW", "CLIPModel", "CNN", "Dense", "Dropout", "HierarchicalTokenPooling", "LSTM", "LayerNorm",
    "LogitScore", "MLMTransformer", "MultiVectorMask", "Normalize", "Pooling", "Router", "SparseAutoEncoder",
    "SparseStaticEmbedding", "SpladePooling", "StaticEmbedding", "Transformer", "WeightedLayerPooling",
    "WordEmbeddings", "WordWeights",
}  # fmt: skip
"""Classes of sentence-transformers that a model may be made of; its functions and imports are refused."""
_OF_THE_LIBRARY = r"sentence_transformers(\.[a-z_]+_encoder|\.base|\.sentence_transformer)?\.(models|modules)"
_MODULE = re.compile(rf"{_OF_THE_LIBRARY}(\.\w+)?\.({'|'.join(sorted(MODULES))})")
_WORDS = re.compile(
    rf"{_OF_THE_LIBRARY}\.tokenizer(\.\w+)?"
    r"\.(WhitespaceTokenizer|WordTokenizer|PhraseTokenizer|TransformersTokenizerWrapper)"
)
_ACTIVATION = re.compile(r"torch\.nn\.(modules\.\w+\.)?[A-Z]\w*")
_METHOD = re.compile(r"forward|get_[a-z]+_features")
_TRANSFORMER = re.compile(r"sentence_[\w-]+_config\.json")
_LIBRARY_OPTIONS = re.compile(r"(model|processor|tokenizer|config)_(args|kwargs)")
_OUTSIDE_OPTIONS = {
    "_configuration_file", "adapter_kwargs", "allow_all_kernels", "config", "gguf_file", "kernel_config",
    "offload_folder", "proxies", "quantization_config", "state_dict", "tokenizer_file", "use_kernels",
    "variant", "vocab_file", "weights_only",
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
        content = _read(file)
        for kind, path in _modules(file, content):
            _check_path(file, path)
            if not trusted and not _MODULE.fullmatch(kind):
                raise _code_error(file, repr(kind))
        for entry in _entries(file, content):
            _check_outside(entry)
            if not trusted:
                _check_code(entry)


def _read(file: Path) -> Any:  # noqa: ANN401 - JSON
    # Python's own parser, as the libraries use it: another one could read another content.
    try:
        content = json.loads(read_regular_file(file, RECORD))
    except ValueError as error:
        raise HarnessError(f"{file} cannot be read: {error}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(file) from error
    check_nesting(content, file)
    return content


def _modules(file: Path, content: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield the classes of a folder's modules, and the folder of each."""
    name = file.name.lower()
    try:
        if name == "modules.json":
            modules = [(module["type"], module["path"]) for module in content]
        elif name == "router_config.json" or (
            name == "config.json" and isinstance(content.get("types"), dict)
        ):
            modules = [(kind, path) for path, kind in content["types"].items()]
        else:
            return
    except (LookupError, TypeError, AttributeError) as error:
        raise HarnessError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    for kind, path in modules:
        if not isinstance(kind, str) or not isinstance(path, str):
            raise HarnessError(f"{file} cannot be read: a module is {kind!r} in {path!r}")
        yield kind, path


def _check_path(file: Path, path: str) -> None:
    windows = PureWindowsPath(path)
    if windows.anchor or ".." in windows.parts or "\0" in path:
        raise HarnessError(f"{file} points outside its folder: {path!r}")
    if any(is_not_loaded(part) for part in PurePath(path).parts):
        raise HarnessError(
            f"{file} keeps a module in {path!r}, a folder left out of the fingerprint",
            hint="rename the folder, and its name in the file",
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


def _check_outside(entry: _Entry) -> None:
    """Refuse files outside the folder: they are neither fingerprinted nor checked."""
    if (
        entry.key == "tokenizer_name_or_path"
        and _TRANSFORMER.fullmatch(entry.file.name.lower())
        and entry.value
    ):
        raise HarnessError(
            f"{entry.file} takes its tokenizer from outside the folder: {entry.value!r}",
            hint="copy that tokenizer's files into the folder, and remove the line",
        )
    if entry.key == "transformers_weights" and entry.value is not None:
        inside = is_plain_name(entry.value) and entry.value.endswith(
            (".safetensors", ".safetensors.index.json")
        )
        if not inside:
            raise HarnessError(f"{entry.file} takes its weights from {entry.value!r}")


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
        unchecked = _OUTSIDE_OPTIONS & set(entry.value)
        if entry.value.get("use_safetensors") is False:
            unchecked.add("use_safetensors")
        if unchecked:
            options = ", ".join(sorted(unchecked))
            raise HarnessError(
                f"{entry.file} sets options that are not checked: {options} in {entry.key}",
                hint="--trust-remote-code takes them as they are; only for a model whose author you trust",
            )


def _auto_map(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return the classes of an `auto_map`, or an empty text."""
    return json.dumps(value, ensure_ascii=False)[:200] if value else ""


def _dotted(allowed: re.Pattern[str]) -> Callable[[Any], str]:
    """Make a check of a class that is named with its module."""
    return lambda value: repr(value) if "." in str(value) and not allowed.fullmatch(str(value)) else ""


def _kernel(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return the hub's kernel that a value names, or an empty text: code, fetched when a model is loaded."""
    return repr(value) if "/" in str(value) else ""


_CODE_FINDERS: dict[str, Callable[[Any], str]] = {
    "auto_map": _auto_map,
    "tokenizer_class": _dotted(_WORDS),
    "activation_function": _dotted(_ACTIVATION),
    "attn_implementation": _kernel,
    "_attn_implementation": _kernel,
    "_attn_implementation_internal": _kernel,
    "experts_implementation": _kernel,
    "_experts_implementation": _kernel,
}
"""Keys that name code, wherever they occur, and what finds it: text to show, or an empty text."""


def _code_error(file: Path, code: str) -> HarnessError:
    return HarnessError(
        f"{file} names custom code: {code}",
        hint="--trust-remote-code runs it; only for a model whose author you trust",
    )
