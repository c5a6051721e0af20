"""Parse the Markdown that sentence-transformers writes: sections, tables, code and lists."""

from __future__ import annotations

import ast
import contextlib
import re
import textwrap
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text below it, up to the next heading of any level."""

    level: int
    title: str
    text: str


def sections(body: str) -> list[Section]:
    """Split Markdown at its headings; lines within fenced code are not headings."""
    parts: list[tuple[int, str, list[str]]] = [(0, "", [])]
    fenced = False
    for line in body.split("\n"):
        marks = len(line) - len(line.lstrip("#"))
        if not fenced and 1 <= marks <= 6 and line[marks : marks + 1] == " ":
            parts.append((marks, line[marks:].strip(), []))
            continue
        fenced ^= line.lstrip().startswith("```")
        parts[-1][2].append(line)
    return [Section(level, title, "\n".join(lines)) for level, title, lines in parts]


def below(parts: Sequence[Section], *titles: str) -> list[Section]:
    """Return each section of one of these titles, with those of deeper levels that follow it."""
    kept: list[Section] = []
    level = None
    for part in parts:
        if level is None or part.level <= level:
            level = part.level if part.title in titles else None
        if level is not None:
            kept.append(part)
    return kept


def folded(part: Section) -> list[Section]:
    """Split a section at its `<details><summary>TITLE</summary>` lines, which older cards use as headings."""
    first, *rest = re.split(r"^[ \t]*<details><summary>(.*?)</summary>[ \t]*$", part.text, flags=re.MULTILINE)
    titles, texts = rest[::2], rest[1::2]
    inner = [Section(part.level + 1, title, text) for title, text in zip(titles, texts, strict=True)]
    return [Section(part.level, part.title, first), *inner]


def tables(text: str) -> list[list[str]]:
    """Return the lines of every table, without the ruler below its header."""
    groups: list[list[str]] = []
    inside = False
    for line in text.split("\n"):
        row = line.strip()
        if row.startswith("|"):
            if not inside:
                groups.append([])
            if "-" not in row or not set(row) <= set("|:- "):
                groups[-1].append(row)
        inside = row.startswith("|")
    return [lines for lines in groups if lines]


def cells(line: str) -> list[str]:
    r"""Split a line of a table at its bars, except at `\|`."""
    inner = line.strip().removeprefix("|").removesuffix("|")
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", inner)]


def coded_cells(line: str) -> list[str]:
    """Return the texts of a line of `<code>…</code>` cells.

    They may hold bare bars, as older versions of the library wrote them, and line breaks as `<br>`. The
    library escapes nothing else, so an entity such as `&amp;` is a part of the training row.
    """
    pieces = re.split(r"</code> *\|", line)[:-1]
    texts = [piece.partition("<code>")[2] for piece in pieces]
    return [text.replace("<br>", "\n").replace("\\|", "|") for text in texts]


def code_blocks(text: str, language: str = "") -> list[str]:
    """Return the fenced code blocks of a language, dedented."""
    blocks: list[str] = []
    lines: list[str] | None = None
    for line in text.split("\n"):
        mark = line.strip()
        if lines is not None and mark == "```":
            blocks.append(textwrap.dedent("\n".join(lines)))
            lines = None
        elif lines is not None:
            lines.append(line)
        elif mark == f"```{language}":
            lines = []
    return blocks


def bullet(text: str, name: str) -> str | None:
    """Return what follows `* NAME: ` or `- **NAME:** `; None where there is no such line."""
    for line in text.split("\n"):
        for start in (f"* {name}:", f"- {name}:", f"- **{name}:**"):
            if line.startswith(start):
                return line[len(start) :].strip()
    return None


def parse_settings(text: str) -> list[tuple[str, str]]:
    """Return the name and the value of every line of the shape "- `name`: value"."""
    return re.findall(r"^- `([\w.]{1,99})`:[ \t]*(.*)$", text, re.MULTILINE)


def items(cell: str) -> dict[str, str]:
    """Return names and values of an HTML list in a cell: `<ul><li>min: 8 tokens</li></ul>`."""
    pairs = (piece.partition("</li>")[0].rpartition(": ") for piece in cell.split("<li>")[1:])
    return {name.strip(): value.strip() for name, between, value in pairs if between}


def literal(source: str | ast.expr) -> Any:  # noqa: ANN401 - whatever was written
    """Read a Python literal; None for anything else, and for a number too long for `repr`."""
    try:
        with _without_warnings():
            value = ast.literal_eval(source.strip() if isinstance(source, str) else source)
        # Python reads hexadecimal digits without end, but writes no more than 4,300 decimal ones.
        repr(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, OverflowError):
        return None
    return value


def statements(code: str) -> list[ast.stmt]:
    """Parse Python code; empty for invalid code."""
    try:
        with _without_warnings():
            return ast.parse(code).body
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return []


def lists_of_texts(code: str, names: Iterable[str]) -> list[str]:
    """Return the texts of lists that Python code assigns to these names, in the order of the names."""
    assigned = {
        target.id: literal(line.value)
        for line in statements(code)
        if isinstance(line, ast.Assign)
        for target in line.targets
        if isinstance(target, ast.Name)
    }
    values = [assigned[name] for name in names if isinstance(assigned.get(name), list)]
    return [text for value in values for text in value if isinstance(text, str)]


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Suppress warnings about invalid escapes in third-party texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def commented_matrix(code: str) -> tuple[tuple[float, ...], ...]:
    """Return the matrix in a comment such as `# tensor([[1.0, …`; empty without one."""
    comments = " ".join(line[1:] for line in code.split("\n") if line.startswith("#"))
    shown = comments.partition("tensor(")[2]
    try:
        return tuple(
            tuple(float(number) for number in row.split(",")) for row in re.findall(r"\[([^\[\]]+)\]", shown)
        )
    except ValueError:
        return ()


def number(text: str) -> float | None:
    """Read a number as cards write them, bold or with a unit after it; None for other text."""
    words = text.replace("*", " ").split()
    try:
        return float(words[0].replace(",", "").removesuffix("%").removeprefix("~")) if words else None
    except ValueError:
        return None
