"""Names of classes that a file, or the card beside it, gives for the numbers of a column (`ClassLabel`)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from harness.finding import Finding, Severity
from harness.system.limits import CARD
from harness.system.text_file import read_text
from harness.tasks.readers.cards import card_folders, card_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    Records = list[dict[str, Any]]
    Names = dict[str, tuple[str, ...]]

_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*", re.ASCII)


class ClassName(str):
    """The name of a class, as which its number in the file is read."""

    number: int
    classes: tuple[str, ...]
    """The names of all classes, by number."""

    @classmethod
    def of(cls, number: int, classes: tuple[str, ...]) -> ClassName:
        """Return the name of a number."""
        name = cls(classes[number])
        name.number, name.classes = number, classes
        return name


def class_names(path: Path, kind: str) -> Names:
    """Return column → names of its classes, by number, as `datasets` knows them.

    They are in the schema of a parquet or Arrow file, in the `dataset_info.json` beside a file, or in the
    card (README.md) of a copy of a hub's repository, by this precedence. What is not as `datasets` writes it
    is left out.
    """
    schema = _of_schema(path) if kind in ("parquet", "arrow") else {}
    return _of_card(path) | _of_info(path.parent / "dataset_info.json") | schema


def name_classes(records: Records, names: Mapping[str, tuple[str, ...]]) -> None:
    """Replace the numbers of classes in records by their names; other values stay, such as -1 for none."""
    for column, classes in names.items():
        for record in records:
            if column in record:
                record[column] = _named(record[column], classes)


def named_finding(path: Path, names: Mapping[str, tuple[str, ...]]) -> Finding:
    """Return the finding that says which names were taken for numbers."""
    listed = "; ".join(f"{column}: {numbered(classes)}" for column, classes in names.items())
    evidence = f"the features of {path.name} name the classes, and rows were read by these names: {listed}"
    return Finding("class-names", Severity.NOTE, evidence)


def numbered(classes: Collection[str]) -> str:
    """Return the names of classes for a sentence: `0 = entailment, 1 = not_entailment`."""
    shown = [f"{number} = {name}" for number, name in enumerate(classes)]
    return ", ".join(shown[:20]) + (", …" if len(shown) > 20 else "")


def _named(value: Any, classes: tuple[str, ...]) -> Any:  # noqa: ANN401 - any value of a file
    if isinstance(value, str):
        if value in classes:  # a name comes first, as `datasets` reads it
            return ClassName.of(classes.index(value), classes)
        value_of = int(value) if _NUMBER.fullmatch(value) else -1
    elif isinstance(value, float) and value.is_integer():
        value_of = int(value)
    else:
        value_of = value if isinstance(value, int) and not isinstance(value, bool) else -1
    return ClassName.of(value_of, classes) if 0 <= value_of < len(classes) else value


def _of_schema(path: Path) -> Names:
    import pyarrow as pa
    from pyarrow import ipc, parquet

    try:
        if path.suffix.lower() == ".parquet":
            metadata = parquet.read_schema(path).metadata
        else:
            with path.open("rb") as file:
                is_file = file.read(8) == b"ARROW1\0\0"
                file.seek(0)
                with ipc.open_file(file) if is_file else ipc.open_stream(file) as reader:
                    metadata = reader.schema.metadata
        content = json.loads((metadata or {}).get(b"huggingface", b"null"))
    except (pa.ArrowException, OSError, ValueError, RecursionError):
        return {}  # reading the rows says what is wrong with a file
    info = content.get("info") if isinstance(content, dict) else None
    return _of_features(info.get("features") if isinstance(info, dict) else None)


def _of_info(path: Path) -> Names:
    if not path.is_file():
        return {}
    try:
        content = json.loads(read_text(path, CARD))
    except (ValueError, RecursionError):
        return {}
    return _of_features(content.get("features") if isinstance(content, dict) else None)


def _of_features(features: object) -> Names:
    """Return the names of classes of the features in JSON."""
    if not isinstance(features, dict):
        return {}
    found = {
        column: _texts(about.get("names"))
        for column, about in features.items()
        if isinstance(about, dict) and about.get("_type") == "ClassLabel"
    }
    return {column: names for column, names in found.items() if names}


def _of_card(path: Path) -> Names:
    """Return what the nearest card says, of the configuration whose folder this is, or of all that agree."""
    infos = card_of(path).get("dataset_info")
    entries = [info for info in (infos if isinstance(infos, list) else [infos]) if isinstance(info, dict)]
    own = [
        info for info in entries if info.get("config_name") in [folder.name for folder in card_folders(path)]
    ]
    found: dict[str, set[tuple[str, ...]]] = {}
    for column, names in (pair for info in own or entries for pair in _of_entry(info)):
        found.setdefault(column, set()).add(names)
    return {column: next(iter(names)) for column, names in found.items() if len(names) == 1}


def _of_entry(info: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    features = info.get("features")
    for feature in features if isinstance(features, list) else ():
        dtype = feature.get("dtype") if isinstance(feature, dict) else None
        label = dtype.get("class_label") if isinstance(dtype, dict) else None
        names = label.get("names") if isinstance(label, dict) else None
        if isinstance(names, dict):  # {'0': entailment, '1': not_entailment}
            by_number = {str(number): name for number, name in names.items()}
            names = [by_number.get(str(number)) for number in range(len(names))]
        name = feature.get("name") if isinstance(feature, dict) else None
        if isinstance(name, str) and (texts := _texts(names)):
            yield name, texts


def _texts(names: object) -> tuple[str, ...]:
    """Return names as texts; none if they are something else."""
    values: list[object] = names if isinstance(names, list) else []
    texts = [str(name) for name in values if isinstance(name, str | int)]
    return tuple(texts) if len(texts) == len(values) else ()
