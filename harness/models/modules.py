"""Modules of a model folder, as `modules.json` and the configurations of routers list them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.limits import DEPTH, RECORD, check_nesting, read_regular_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = {
    "Asym", "BoW", "CLIPModel", "CNN", "Dense", "Dropout", "HierarchicalTokenPooling", "LSTM", "LayerNorm",
    "LogitScore", "MLMTransformer", "MultiVectorMask", "Normalize", "Pooling", "Router", "SparseAutoEncoder",
    "SparseStaticEmbedding", "SpladePooling", "StaticEmbedding", "Transformer", "WeightedLayerPooling",
    "WordEmbeddings", "WordWeights",
}  # fmt: skip
"""Classes of sentence-transformers that a model may be made of; its functions and imports are refused."""
TRANSFORMERS = {"CLIPModel", "MLMTransformer", "Transformer"}
"""Modules that transformers loads: with a tokenizer, and possibly with an adapter."""


@dataclass(frozen=True, slots=True)
class ListedModule:
    """One module of a model: the file that lists it, its class with its Python module, its folder."""

    file: Path
    kind: str
    path: str
    """Relative to the file's folder; empty for the folder itself."""

    @property
    def name(self) -> str:
        """Name of the class, such as `Pooling`."""
        return self.kind.rpartition(".")[2]

    @property
    def folder(self) -> Path:
        """The folder that it is loaded from."""
        return self.file.parent / self.path


def read_configuration(file: Path) -> Any:  # noqa: ANN401 - JSON
    """Return the content of a JSON file of a model folder.

    Raises HarnessError for a file that cannot be read, is too large or nested too deeply.
    """
    # Python's own parser, as the libraries use it: another one could read another content.
    try:
        content = json.loads(read_regular_file(file, RECORD))
    except ValueError as error:
        raise HarnessError(f"{file} cannot be read: {error}") from error
    except RecursionError as error:
        raise DEPTH.exceeded(file) from error
    check_nesting(content, file)
    return content


def listed_in(file: Path, content: Any) -> Iterator[ListedModule]:  # noqa: ANN401 - JSON
    """Yield the modules that the content of a JSON file lists; none for other files.

    Raises HarnessError where the list is not one.
    """
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
        yield ListedModule(file, kind, path)


def modules_of(folder: Path) -> list[ListedModule]:
    """Return all modules of a model, those of its routers included; none without a `modules.json`.

    Raises HarnessError as `read_configuration` and `listed_in` do.
    """
    todo, seen, modules = [folder / "modules.json"], set(), []
    while todo:
        file = todo.pop()
        if not is_there(file) or file.resolve() in seen:
            continue
        seen.add(file.resolve())
        for module in listed_in(file, read_configuration(file)):
            modules.append(module)
            if module.name in ("Router", "Asym"):
                todo += [module.folder / "router_config.json", module.folder / "config.json"]
    return modules


def is_there(path: Path) -> bool:
    """Check whether a path that a configuration names exists; one that is too long does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def transformer_folders(folder: Path) -> list[Path]:
    """Return the folders that transformers loads: one for most models, several for a router's."""
    modules = modules_of(folder)
    if not modules:
        return [] if is_model2vec(folder) else [folder]
    return [module.folder for module in modules if module.name in TRANSFORMERS]


def is_model2vec(folder: Path) -> bool:
    """Check for a folder of model2vec as it was written without a `modules.json`."""
    if (folder / "modules.json").is_file() or not (folder / "config.json").is_file():
        return False
    content = read_configuration(folder / "config.json")
    return isinstance(content, dict) and content.get("model_type") == "model2vec"
