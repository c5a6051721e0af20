"""Configurations in a model folder that name code, or something that lies elsewhere.

That is what sentence-transformers 6 and transformers 5 act on. What they would refuse themselves is refused
here first, with what would run, and before torch is imported.
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

_NO_CONFIGURATION = NOT_DEFINING | {"tokenizer.json", "vocab.json"}
"""Large, and read by libraries that know no code."""
MODULES = {
    "Asym", "BoW", "CLIPModel", "CNN", "Dense", "Dropout", "HierarchicalTokenPooling", "LSTM", "LayerNorm",
    "LogitScore", "MLMTransformer", "MultiVectorMask", "Normalize", "Pooling", "Router", "SparseAutoEncoder",
    "SparseStaticEmbedding", "SpladePooling", "StaticEmbedding", "Transformer", "WeightedLayerPooling",
    "WordEmbeddings", "WordWeights",
}  # fmt: skip
"""Classes of sentence-transformers that a model may be made of; its functions and imports are none."""
_OF_THE_LIBRARY = r"sentence_transformers(\.[a-z_]+_encoder|\.base|\.sentence_transformer)?\.(models|modules)"
_MODULE = re.compile(rf"{_OF_THE_LIBRARY}(\.\w+)?\.({'|'.join(sorted(MODULES))})")
_WORDS = re.compile(
    rf"{_OF_THE_LIBRARY}\.tokenizer(\.\w+)?"
    r"\.(WhitespaceTokenizer|WordTokenizer|PhraseTokenizer|TransformersTokenizerWrapper)"
)
_ACTIVATION = re.compile(r"torch\.nn\.(modules\.\w+\.)?[A-Z]\w*")
_METHOD = re.compile(r"forward|get_[a-z]+_features")
_TRANSFORMER = re.compile(r"sentence_[\w-]+_config\.json")
_ASKING = re.compile(r"(model|processor|tokenizer|config)_(args|kwargs)")
_REACHING = {
    "_configuration_file", "adapter_kwargs", "allow_all_kernels", "config", "gguf_file", "kernel_config",
    "offload_folder", "proxies", "quantization_config", "state_dict", "tokenizer_file", "use_kernels",
    "variant", "vocab_file", "weights_only",
}  # fmt: skip
"""What from_pretrained takes that makes it read other files than those that are checked here."""


@dataclass(frozen=True, slots=True)
class _Place:
    """An entry of a configuration: its file, its key, its value."""

    file: Path
    key: str
    value: Any


def check_configurations(folder: Path, *, trusted: bool) -> None:
    """Refuse what a folder's JSON files would run, or read from elsewhere.

    trusted: whether code was allowed; what leads elsewhere is refused nevertheless.
    Raises HarnessError that names file and code.
    """
    for file in sorted(folder.iterdir()):
        # A Mac finds config.json under the name CONFIG.JSON too.
        name = file.name.lower()
        if not name.endswith(".json") or name in _NO_CONFIGURATION or not file.is_file():
            continue
        content = _read(file)
        for kind, path in _modules(file, content):
            _check_path(file, path)
            if not trusted and not _MODULE.fullmatch(kind):
                raise _own_code(file, repr(kind))
        for place in _places(file, content):
            _check_elsewhere(place)
            if not trusted:
                _check_code(place)


def _read(file: Path) -> Any:  # noqa: ANN401 - JSON
    # Python's own parser, as the libraries': another one could see another file.
    try:
        content = json.loads(read_regular_file(file, RECORD))
    except ValueError as error:
        raise HarnessError(f"{file} cannot be read: {error}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(file) from error
    check_nesting(content, file)
    return content


def _modules(file: Path, content: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """The classes that a folder says it is made of, and the folder of each."""
    name = file.name.lower()
    try:
        if name == "modules.json":
            found = [(module["type"], module["path"]) for module in content]
        elif name == "router_config.json" or (
            name == "config.json" and isinstance(content.get("types"), dict)
        ):
            found = [(kind, path) for path, kind in content["types"].items()]
        else:
            return
    except (LookupError, TypeError, AttributeError) as error:
        raise HarnessError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    for kind, path in found:
        if not isinstance(kind, str) or not isinstance(path, str):
            raise HarnessError(f"{file} cannot be read: a module is {kind!r} in {path!r}")
        yield kind, path


def _check_path(file: Path, path: str) -> None:
    windows = PureWindowsPath(path)
    if windows.anchor or ".." in windows.parts or "\0" in path:
        raise HarnessError(f"{file} leads out of its folder, to {path!r}")
    if any(is_not_loaded(part) for part in PurePath(path).parts):
        raise HarnessError(
            f"{file} keeps a module in {path!r}, a folder left out of the fingerprint",
            hint="rename it, there and in the file",
        )


def _places(file: Path, content: Any) -> Iterator[_Place]:  # noqa: ANN401 - JSON
    """Every entry of every table in a file."""
    todo = [content]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            yield from (_Place(file, key, value) for key, value in one.items())
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def _check_elsewhere(place: _Place) -> None:
    """Refuse files that lie elsewhere: they are in no fingerprint, and were looked at by nobody."""
    if (
        place.key == "tokenizer_name_or_path"
        and _TRANSFORMER.fullmatch(place.file.name.lower())
        and place.value
    ):
        raise HarnessError(
            f"{place.file} takes its tokenizer from elsewhere, {place.value!r}",
            hint="copy that tokenizer's files into the folder, and remove the line",
        )
    if place.key == "transformers_weights" and place.value is not None:
        inside = is_plain_name(place.value) and place.value.endswith(
            (".safetensors", ".safetensors.index.json")
        )
        if not inside:
            raise HarnessError(f"{place.file} takes its weights from {place.value!r}")


def _check_code(place: _Place) -> None:
    """Refuse an entry that names code, or that asks for what only its author knows."""
    named = _NAMING.get(place.key)
    if named is not None and (code := named(place.value)):
        raise _own_code(place.file, code)
    if place.key == "modality_config" and isinstance(place.value, dict):
        for modality in place.value.values():
            method = modality.get("method", "forward") if isinstance(modality, dict) else modality
            if not isinstance(method, str) or not _METHOD.fullmatch(method):
                raise _own_code(place.file, repr(method))
    if _ASKING.fullmatch(place.key) and isinstance(place.value, dict):
        asked = _REACHING & set(place.value)
        if place.value.get("use_safetensors") is False:
            asked.add("use_safetensors")
        if asked:
            raise HarnessError(
                f"{place.file} asks for what nobody looked at: {', '.join(sorted(asked))} in {place.key}",
                hint="--trust-remote-code takes them as they are; only for a model whose author you trust",
            )


def _mapped(value: Any) -> str:  # noqa: ANN401 - JSON
    """The classes of an `auto_map`."""
    return json.dumps(value, ensure_ascii=False)[:200] if value else ""


def _dotted(allowed: re.Pattern[str]) -> Callable[[Any], str]:
    """Make a check of a class that is named with its module."""
    return lambda value: repr(value) if "." in str(value) and not allowed.fullmatch(str(value)) else ""


def _kernel(value: Any) -> str:  # noqa: ANN401 - JSON
    """A kernel of the hub: compiled code, fetched when the model is loaded."""
    return repr(value) if "/" in str(value) else ""


_NAMING: dict[str, Callable[[Any], str]] = {
    "auto_map": _mapped,
    "tokenizer_class": _dotted(_WORDS),
    "activation_function": _dotted(_ACTIVATION),
    "attn_implementation": _kernel,
    "_attn_implementation": _kernel,
    "_attn_implementation_internal": _kernel,
    "experts_implementation": _kernel,
    "_experts_implementation": _kernel,
}
"""Keys that name code, wherever they stand, and what finds it: text to be shown, or nothing."""


def _own_code(file: Path, code: str) -> HarnessError:
    return HarnessError(
        f"{file} names code of its own: {code}",
        hint="--trust-remote-code runs it; only for a model whose author you trust",
    )
