"""Check that a model folder has the files that loading it needs, before torch is imported.

Some libraries go on without them: with random weights, or with a made-up tokenizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.models.adapter import CONFIGURATION
from harness.models.modules import (
    MODULES,
    is_model2vec,
    is_there,
    modules_of,
    read_configuration,
    transformer_folders,
)

if TYPE_CHECKING:
    from pathlib import Path

    from harness.models.modules import ListedModule

_NEED_NO_FILES = {"Dropout", "Normalize"}
_HAVE_WEIGHTS = {"CNN", "Dense", "LSTM", "LayerNorm", "StaticEmbedding", "WordEmbeddings"}
_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_ADAPTERS = ("adapter_model.safetensors", "adapter_model.bin")
_EXPORTS = {".onnx", ".h5", ".msgpack", ".gguf", ".ot", ".xml", ".tflite"}


def check_complete(folder: Path) -> None:
    """Raise HarnessError with the file or folder that is missing: of a module, weights, or shards.

    folder: a model folder that passed the checks of `harness.models.trust`.
    """
    listed = (folder / "modules.json").is_file()
    modules = modules_of(folder)
    if listed and not modules:
        raise HarnessError(f"{folder / 'modules.json'} lists no modules")
    for module in modules:
        if module.name in MODULES:
            _check_module(module)
    for transformer in transformer_folders(folder):
        _check_transformer(transformer)
    if is_model2vec(folder):
        _check_static(folder, "the model2vec model")


def _check_module(module: ListedModule) -> None:
    """Check that a module's folder is there, with its configuration and weights."""
    if module.name in _NEED_NO_FILES:
        return
    what = f"module {module.name} of {module.file}"
    if not is_there(module.folder) or not module.folder.is_dir():
        raise _missing(f"{what} is missing: there is no folder {module.path}", module.file.parent)
    if not any(path.suffix.lower() == ".json" for path in module.folder.iterdir()):
        raise _missing(f"{what} is incomplete: no configuration (*.json) in {module.folder}", module.folder)
    if module.name in _HAVE_WEIGHTS and not _any(module.folder, _WEIGHTS):
        raise _missing(f"{what} has no weights: no model.safetensors in {module.folder}", module.folder)
    if module.name == "StaticEmbedding":
        _check_static(module.folder, what)


def _check_static(folder: Path, what: str) -> None:
    for name in ("tokenizer.json", "model.safetensors"):
        if not (folder / name).is_file() and not (name in _WEIGHTS and _any(folder, _WEIGHTS)):
            raise _missing(f"{what} is incomplete: no {name} in {folder}", folder)


def _check_transformer(folder: Path) -> None:
    """Check that a transformer has a configuration, weights, and all shards of them."""
    if not _any(folder, ("config.json", CONFIGURATION)):
        raise _missing(f"{folder} has no config.json: nothing says which model its weights are", folder)
    if _any(folder, _WEIGHTS[:1]) or "transformers_weights" in _configuration(folder):
        return
    for name in _INDICES:
        if (folder / name).is_file():
            _check_shards(folder / name)
            return
    if (folder / CONFIGURATION).is_file():
        if not _any(folder, _ADAPTERS):
            raise _missing(f"the adapter has no weights: no adapter_model.safetensors in {folder}", folder)
        return
    if _any(folder, _WEIGHTS):
        return
    shards = sorted(path.name for path in folder.glob("model-*-of-*.safetensors"))
    if shards:
        raise _missing(f"{folder} has shards of weights ({', '.join(shards)}), and no {_INDICES[0]}", folder)
    exports = sorted(
        path.relative_to(folder).as_posix()
        for place in (folder, folder / "onnx", folder / "openvino")
        if place.is_dir()
        for path in place.iterdir()
        if path.suffix.lower() in _EXPORTS
    )
    raise HarnessError(
        f"{folder} has no weights: no model.safetensors",
        exists=f"there: {', '.join(exports)}" if exports else None,
        hint="exports are not read: give the model that they were made of; --backend onnx exports it itself"
        if exports
        else "copy or download the folder again; a hub model's pickled weights come with --allow-pickle",
    )


def _check_shards(index: Path) -> None:
    content = read_configuration(index)
    shards = sorted(set(content["weight_map"].values()))
    missing = [shard for shard in shards if not is_there(index.parent / shard)]
    if missing:
        raise _missing(
            f"{index} names {len(shards)} files of weights, and {len(missing)} of them are missing:"
            f" {', '.join(missing[:5])}",
            index.parent,
        )


def _configuration(folder: Path) -> dict[str, object]:
    file = folder / "config.json"
    content = read_configuration(file) if file.is_file() else None
    return content if isinstance(content, dict) else {}


def _any(folder: Path, names: tuple[str, ...]) -> bool:
    return any((folder / name).is_file() for name in names)


def _missing(message: str, folder: Path) -> HarnessError:
    there = sorted(path.name for path in folder.iterdir())
    return HarnessError(
        message,
        exists=f"there: {', '.join(there[:12]) or 'nothing'}{' …' if len(there) > 12 else ''}",
        hint="copy or download the folder again",
    )
