"""TOML files: read within limits, and converted into dataclasses."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from harness.errors import Faults, HarnessError, did_you_mean
from harness.system.limits import CONFIG, DEPTH, check_nesting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Keys = tuple[str | int, ...]

Record = TypeVar("Record")
_WRONG: Any = object()
"""In place of a value of a wrong type."""
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into plain values.

    Raises HarnessError that says where it cannot be read, or which limit it is over.
    """
    from harness.system.text_file import read_text

    text = read_text(path, CONFIG)
    _check_keys(text, path)
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and Python's own for a number of too many digits
        raise HarnessError(f"{path} is not TOML: {error}", hint=_repeated(str(error))) from error
    except RecursionError as error:
        raise DEPTH.exceeded(path) from error
    check_nesting(content, path)
    _check_integers(content, path)
    return content


def read_toml_as(path: Path, kind: type[Record], *, hint: str | None = None) -> Record:
    """Read a TOML file into a dataclass; raises HarnessError as `read_toml` and `table_as` do."""
    return table_as(read_toml(path), kind, path, hint=hint)


def table_as(
    table: object,
    kind: type[Record],
    file: object,
    *,
    at: Keys = (),
    hyphens: bool = False,
    hint: str | None = None,
) -> Record:
    """Convert a table of TOML, or of other plain data, into a dataclass, whose fields are all of its keys.

    file: source of the table, for errors; at: its keys in the file; hyphens: whether keys may have - for _.
    A field with compare=False is not a key. A whole number is taken for a number; no other type is taken for
    another: true is not a number, a text is not a list.

    Raises HarnessError, with the hint, for every key that is unknown or missing and every value of a wrong
    type; it names the file, the table and the key, the value and what is wanted.
    """
    faults = Faults()
    record = read_table(table, kind, file, faults, at=at, hyphens=hyphens, hint=hint)
    faults.refuse(str(file))
    return cast("Record", record)  # there are faults where it is None


def read_table(
    table: object,
    kind: type[Record],
    file: object,
    faults: Faults,
    *,
    at: Keys = (),
    hyphens: bool = False,
    hint: str | None = None,
    partial: bool = False,
) -> Record | None:
    """Convert a table as `table_as` does, and add to `faults` what that raises.

    Unknown keys are left out. Returns None where a key is missing or a value has a wrong type.
    partial: such a value is its field's default, so that more faults can be found at once, and None is
    returned only where the field has none.
    """
    check_nesting(table, file)
    _check_integers(table, file)
    reader = _Reader(file, hyphens, hint, faults)
    values = reader.value(table, kind, at)
    lacking = reader.lacking or values is _WRONG
    return None if lacking or (reader.unreadable and not partial) else msgspec.convert(values, kind)


def type_fault(value: object, wanted: Any) -> str | None:  # noqa: ANN401 - a type
    """Return what is wrong with a value of TOML that is not of a type: "must be a text, not 3"; else None."""
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return f"must be {_describe(wanted)}, not {value!r}"
    return None


def key_path(*keys: str | int) -> str:
    """Write keys as they are found in a file: `margin`, `[train] epochs`, `[[line]] no. 2: margin`."""
    *tables, key = keys
    separator = ": " if tables and isinstance(tables[-1], int) else " "
    return f"{table_name(*tables)}{separator}{_part(key)}" if tables else _part(key)


def table_name(*keys: str | int) -> str:
    """Write a table's keys as its header: `[train]`, `[tasks.stsb]`, `[[line]] no. 2` for ("line", 1)."""
    name = ".".join(_part(key) for key in keys if isinstance(key, str))
    numbers = [str(key + 1) for key in keys if isinstance(key, int)]
    return f"[[{name}]] no. {', '.join(numbers)}" if numbers else f"[{name}]"


def _part(key: str | int) -> str:
    """Quote a key that TOML does not take bare."""
    return key if isinstance(key, str) and re.fullmatch(r"[\w-]+", key, re.ASCII) else repr(key)


@dataclass(slots=True)
class _Reader:
    """Checks plain data against a type, and spells its keys as the fields."""

    file: object
    hyphens: bool
    hint: str | None
    faults: Faults
    unreadable: bool = False
    """Whether a key is missing, or a value has a wrong type."""
    lacking: bool = False
    """Whether one of these has no default."""

    def value(self, value: Any, wanted: Any, at: Keys) -> Any:  # noqa: ANN401 - plain data, and a type
        """Return the value with keys spelled as fields, without unknown ones; adds to the faults.

        Returns _WRONG for a value of a wrong type; inside of tables, it is left out.
        """
        kind = wanted if value is None else _fitting(wanted, value)
        items = get_args(kind)
        if is_dataclass(kind) and isinstance(value, dict):
            return self.table(value, kind, at)
        if get_origin(kind) is dict and isinstance(value, dict):
            read = {key: self.value(inner, items[1], (*at, key)) for key, inner in value.items()}
            return {key: inner for key, inner in read.items() if inner is not _WRONG}
        if _is_list_of_tables(kind) and isinstance(value, list):
            rows = [self.value(inner, items[0], (*at, number)) for number, inner in enumerate(value)]
            return [inner for inner in rows if inner is not _WRONG]
        if fault := type_fault(value, wanted):
            self.unreadable = True
            self.faults.add(self.wrong_type(value, wanted, at, fault))
            return _WRONG
        return value

    def table(self, table: dict[str, Any], kind: Any, at: Keys) -> dict[str, Any]:  # noqa: ANN401 - a dataclass
        """Return the table by field names; an unknown, missing or repeated key is a fault."""
        hints, known = get_type_hints(kind), {field.name: field for field in fields(kind) if field.compare}
        values: dict[str, Any] = {}
        for key, value in table.items():
            name = key.replace("-", "_") if self.hyphens else key
            if name not in known:
                self.faults.add(self.unknown(key, known, at))
            elif name in values:
                self.faults.add(self.error((*at, key), "is given twice, with - and with _"))
            else:
                values[name] = self.value(value, hints[name], (*at, key))
        for name, field in known.items():
            if name not in values and _is_required(field):
                wanted, self.unreadable = hints[name], True
                self.faults.add(
                    self.error((*at, name), f"is missing; it must be {_describe(wanted)}", wanted)
                )
        sound = {name: value for name, value in values.items() if value is not _WRONG}
        self.lacking |= any(_is_required(field) and name not in sound for name, field in known.items())
        return sound

    def unknown(self, key: str, known: Iterable[str], at: Keys) -> HarnessError:
        table = f"{table_name(*at)} of " if at else ""
        names = [name.replace("_", "-") if self.hyphens else name for name in known]
        return HarnessError.unknown(f"key in {table}{self.file}", key, names, hint=self.hint)

    def wrong_type(self, value: object, wanted: object, at: Keys, fault: str) -> HarnessError:
        choices = [choice for choice in _choices(wanted) if isinstance(choice, str)]
        exists = did_you_mean(value, choices) if isinstance(value, str) else []
        return self.error(at, fault, wanted, "\n".join(exists) or None)

    def error(
        self, at: Keys, sentence: str, wanted: object = None, exists: str | None = None
    ) -> HarnessError:
        subject = f"{self.file}: {_subject(at, wanted)}" if at else f"{self.file}"
        return HarnessError(f"{subject} {sentence}", exists=exists, hint=self.hint)


def _subject(at: Keys, wanted: object) -> str:
    """Write the keys of a value of a type: of a table as its header."""
    kind = _without_none(wanted)
    if _is_list_of_tables(kind):
        return f"[{table_name(*at)}]"
    is_table = is_dataclass(kind) or get_origin(kind) is dict
    return table_name(*at) if is_table else key_path(*at)


def _describe(wanted: Any) -> str:  # noqa: ANN401 - a type
    """Say what a field of a type may hold: "a text", "'mean' or 'cls'", "a list of 2 numbers"."""
    *most, last = _ways(wanted)
    return f"{', '.join(most)} or {last}" if most else last


def _ways(wanted: Any) -> list[str]:  # noqa: ANN401 - a type
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return [repr(choice) for choice in inner]
    if origin in (Union, UnionType):
        return [way for part in inner if part is not NoneType for way in _ways(part)]
    if origin is dict:
        return ["a table" if inner[1] is Any else f"a table of {_several(inner[1])}"]
    if origin in (tuple, frozenset):
        number = f"{len(inner)} " if origin is tuple and Ellipsis not in inner else ""
        return [f"a list of {number}{_several(inner[0])}"]
    return [_WORDS.get(wanted, "a table")]


def _several(wanted: Any) -> str:  # noqa: ANN401 - a type
    return " or ".join(f"{way.removeprefix('a ')}s" for way in _ways(wanted))


def _choices(wanted: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type
    """Values that a type names one by one."""
    if get_origin(wanted) is Literal:
        return get_args(wanted)
    return tuple(choice for part in get_args(wanted) for choice in _choices(part))


def _without_none(wanted: Any) -> Any:  # noqa: ANN401 - a type
    """Return X for `X | None`, other types as they are."""
    parts = [part for part in get_args(wanted) if part is not NoneType]
    return parts[0] if get_origin(wanted) in (Union, UnionType) and len(parts) == 1 else wanted


def _fitting(wanted: Any, value: object) -> Any:  # noqa: ANN401 - types
    """Return the part of a union that a table or a list can be; X of `X | None`; other types as they are."""
    kind = _without_none(wanted)
    if get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            origin = get_origin(part)
            if (isinstance(value, dict) and origin is dict) or (isinstance(value, list) and origin is tuple):
                return part
    return kind


def _is_list_of_tables(kind: Any) -> bool:  # noqa: ANN401 - a type
    return get_origin(kind) is tuple and is_dataclass(get_args(kind)[0])


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _repeated(error: str) -> str | None:
    """Return what to do about a table that a file has twice; None for other faults of TOML."""
    found = re.match(r"Cannot declare (\(.*\)) twice", error)
    keys = re.findall(r"""'((?:[^'\\]|\\.)*)'""", found[1]) if found else []
    return f"the file has the table {table_name(*keys)} twice: leave one of the two out" if keys else None


# Nothing here can be matched in two ways, and what is not closed goes on to the end: it never takes long.
_PART = r"""(?:[\w-]+|"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|'[^'\n]*'?)"""
_LONG_TEXT = (
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"{0,5}',
    r"'''[^']*(?:'(?!'')[^']*)*'{0,5}",
)
_TOKEN = re.compile(
    rf"{'|'.join(_LONG_TEXT)}|#[^\n]*|(?P<key>{_PART}(?:[ \t]*\.[ \t]*{_PART})*)|.", re.ASCII | re.DOTALL
)


def _check_keys(text: str, path: Path) -> None:
    """Refuse dotted keys of too many parts before they are parsed: tomllib takes the square of their number.

    Everything between dots may be a key, but for comments and texts of several lines.
    """
    most = DEPTH.most
    for token in _TOKEN.finditer(text):
        key = token["key"]
        if key and key.count(".") >= most:
            DEPTH.check(len(re.findall(_PART, key, re.ASCII | re.DOTALL)), path)


def _check_integers(value: Any, file: object, at: Keys = ()) -> None:  # noqa: ANN401 - TOML
    """Refuse whole numbers beyond 64 bits, which TOML does not have and Python's reader takes."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise HarnessError(
            f"{file}: {key_path(*at)} is a whole number of more than 64 bits: that is not TOML"
        )
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_integers(inner, file, (*at, key))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            _check_integers(inner, file, (*at, number) if isinstance(inner, dict) else at)
