"""Mutators: from files to other files, one change at a time, drawn from nothing but `chance`."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tomllib
from pathlib import PurePath
from typing import TYPE_CHECKING

from fuzzing import trees
from fuzzing.columns import broken_arrow, broken_parquet

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Mutator = Callable[[bytes, bytes, random.Random], bytes]
    """Content, the content of another input's file of that kind, chance → content."""

Files = dict[str, bytes | None]
"""Path below the sandbox → content; None for an empty folder."""

TOKENS = (
    "", "0", "-0", "-1", "1e999", "-1e999", "1e-999", "NaN", "nan", "Infinity", "1_0", "0x" + "f" * 5000,
    "9" * 25, "9" * 400, "9" * 5000, "1e308", "null", "true", "[]", "{}", "\0", "\ufeff", "\u202e",
    "\u2028", "é", "\\ud800", "\\", '"', '"""', "'", "`", "```", "---", "|", "\\|", ",", ";", "\t", "\r",
    "\r\n", "\n", "\n\n", " ", "#", "{", "}", "{a.b}", "{0}", "{a!r:>9}", "[" * 5000, "(" * 300, "../../x",
    "/", "~nobody/x", "*", "-", "--", "=", "=1+1", "<code>", "</code>", "<ul><li>", "&amp;", "\x1b[31m",
    "\x07", "&a [*a]", "!!timestamp x", "!!int ''", "!!bool x", "2026-99-99", "a" * 300, "word " * 5000,
    "x" * 70_000,
)  # fmt: skip
"""What readers trip over, one of them at a time."""

NUMBERS = (
    "0", "-1", "1.5", "1e999", "-1e999", "NaN", "1e308", "1.7e308", "-1e308", "5e-324", "1e-300", "9" * 25,
    "9" * 300, "9" * 400, "9" * 5000, "9,999", "1_0", "0x10", "٣", "²",
)  # fmt: skip
"""What stands in the place of numbers."""


def mutated(files: Files, other: Files, chance: random.Random) -> Files:
    """Return the files with one change: mostly to the content of one, at times to which there are."""
    if not files or chance.random() < 0.04:
        return _rearranged(files, chance)
    name = chance.choice(sorted(files))
    content = files[name]
    if content is None:
        return {**files, name: b""}
    ending = PurePath(name).suffix
    donors = [one for path, one in sorted(other.items()) if path.endswith(ending) and one is not None]
    own = _BY_ENDING.get(ending, ())
    # Half of all changes keep the grammar: what cannot be parsed is refused early, and finds little.
    mutators = own if own and chance.random() < 0.6 else _TEXT if chance.random() < 0.6 else _BYTES
    mutate = chance.choice(mutators)
    try:
        return {**files, name: mutate(content, chance.choice(donors or [content]), chance)}
    except Exception:  # noqa: BLE001 - an earlier change has broken its grammar, whatever a parser says to that
        return {**files, name: _flipped(content, content, chance)}


def _rearranged(files: Files, chance: random.Random) -> Files:
    """Take a file away, put a folder in its place, exchange two, or add one."""
    names = sorted(files) or ["a"]
    name, other = chance.choice(names), chance.choice(names)
    content = files.get(name)
    without = {path: one for path, one in files.items() if path != name}
    return chance.choice(
        (
            without,
            {**without, name: None},
            {**files, name: b""},
            {**files, name: files.get(other), other: content},
            {**without, f"{name}{chance.choice(('.json', '.csv', '.bak', ' '))}": content},
            {**without, name: b"\0" * 4096},
        )
    )


# --- bytes ----------------------------------------------------------------------------------------------


def _flipped(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _overwritten(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    filler = chance.choice((b"\0", b"\xff", b"\x80", bytes([chance.randrange(256)])))
    return content[:start] + filler * (stop - start) + content[stop:]


def _cut(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _removed(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    return content[:start] + content[stop:]


def _repeated(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    start, stop = _slice(content, chance)
    times = min(chance.choice((1, 1, 2, 10, 1000)), 100_000 // (stop - start + 1))
    return content[:stop] + content[start:stop] * times + content[stop:]


def _spliced(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)] + donor[chance.randrange(len(donor) + 1) :]


def _with_token(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content) + 1)
    stop = start if chance.random() < 0.6 else min(len(content), start + chance.randrange(1, 9))
    return content[:start] + chance.choice(TOKENS).encode() + content[stop:]


def _slice(content: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(content) + 1)
    return start, min(len(content), start + int(1 + len(content) * chance.random() ** 3))


# --- text -----------------------------------------------------------------------------------------------


def _lines(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Remove, repeat, exchange or borrow lines."""
    lines = content.split(b"\n")
    here, there = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(5)
    if how == 0:
        del lines[here]
    elif how == 1:
        lines[here:here] = [lines[here]] * min(
            chance.choice((1, 3, 200)), 1 + 100_000 // (len(lines[here]) + 1)
        )
    elif how == 2:
        lines[here], lines[there] = lines[there], lines[here]
    elif how == 3:
        del lines[min(here, there) : max(here, there)]
    else:
        lines.insert(here, chance.choice(donor.split(b"\n")))
    return b"\n".join(lines)


def _other_number(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return _other_match(rb"-?\d[\d.,]*", content, chance, NUMBERS)


def _other_word(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return _other_match(rb"[\w-]+", content, chance, TOKENS)


def _other_match(pattern: bytes, content: bytes, chance: random.Random, tokens: tuple[str, ...]) -> bytes:
    """Put a token in the place of one match."""
    found = chance.choice(list(re.finditer(pattern, content)))
    return content[: found.start()] + chance.choice(tokens).encode() + content[found.end() :]


def _recoded(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Another encoding, a mark at the beginning, or other line ends."""
    how = chance.choice(
        ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "\r\n", "\r", "\x85", "\u2028")
    )
    if how.startswith(("utf", "latin")):
        return content.decode().encode(how, "replace")
    return content.replace(b"\n", how.encode())


# --- grammars -------------------------------------------------------------------------------------------


def _json(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return trees.to_json(trees.broken(json.loads(content), chance), chance)


def _jsonl(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = chance.randrange(len(lines))
    lines[place] = _json(lines[place], donor, chance)
    return b"\n".join(lines)


def _toml(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    tree = trees.broken(tomllib.loads(content.decode()), chance)
    return trees.to_toml(tree if isinstance(tree, dict) else {"a": tree}, chance)


def _front_matter(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Break the YAML at the top of a card; it is written as JSON, which is YAML too."""
    import yaml

    _, front, body = content.split(b"---\n", 2)
    tree = trees.broken(yaml.safe_load(front), chance)
    return b"---\n" + trees.to_json(tree, chance) + b"\n---\n" + body


def _delimited(content: bytes, donor: bytes, chance: random.Random, delimiter: str = ",") -> bytes:
    """Change cells, rows or columns of a table."""
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))
    row = chance.choice(rows)
    here, there = chance.randrange(len(row)), chance.randrange(len(row))
    how = chance.randrange(8)
    if how < 3:
        row[here] = chance.choice(TOKENS)
    elif how == 3:
        del row[here]
    elif how == 4:
        row.append(row[here])
    elif how == 5:
        rows[:] = [one[:here] + one[here + 1 :] for one in rows]
    elif how == 6:
        rows[:] = [[*one, *one[here : here + 1]] for one in rows]
    else:
        row[here], row[there] = row[there], row[here]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=chance.choice(("\n", "\r\n"))).writerows(rows)
    return text.getvalue().encode()


def _tabbed(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    return _delimited(content, donor, chance, "\t")


def _compressed(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Change what is in a gzip file, so that it is decompressed before it is refused."""
    inner, other = gzip.decompress(content), gzip.decompress(donor)
    return gzip.compress(chance.choice(_TEXT)(inner, other, chance), mtime=0)


def _safetensors(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """Change the header, or what its first eight bytes say of its length."""
    length = int.from_bytes(content[:8], "little")
    header, rest = content[8 : 8 + length], content[8 + length :]
    if chance.random() < 0.3:
        told = chance.choice((0, 1, length - 1, length + 1, len(content), 2**31, 2**63, 2**64 - 1))
        return told.to_bytes(8, "little") + header + rest
    changed = _json(header, donor, chance)
    if chance.random() < 0.5:
        changed = changed.ljust(length)  # as long as it was, so that what follows stands where it stood
    return len(changed).to_bytes(8, "little") + changed + rest


_BYTES: tuple[Mutator, ...] = (_flipped, _overwritten, _cut, _removed, _repeated, _spliced, _with_token)
_TEXT: tuple[Mutator, ...] = (
    _lines,
    _lines,
    _other_number,
    _other_number,
    _other_word,
    _with_token,
    _recoded,
)
_BY_ENDING: dict[str, tuple[Mutator, ...]] = {
    ".json": (_json,),
    ".jsonl": (_jsonl,),
    ".toml": (_toml,),
    ".csv": (_delimited,),
    ".tsv": (_tabbed,),
    ".md": (_front_matter, _other_number, _other_number, _lines),
    ".txt": (_tabbed, _lines),
    ".parquet": (broken_parquet,),
    ".arrow": (broken_arrow,),
    ".gz": (_compressed,),
    ".safetensors": (_safetensors,),
}
