"""`harness new`: write a plugin of one's own, as a distribution that can be installed and tested."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.usage import Choice
from harness.errors import HarnessError, nearest
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from harness.plugins.loader import Plugins

KINDS = ("task", "model", "check", "trainer")
SKELETONS = Path(__file__).parents[1] / "skeletons"
"""A folder for each kind: a distribution called my-plugin, which works as it stands."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", re.ASCII)
_PLACEHOLDER = re.compile(r"my-plugin|my_plugin|MyPlugin")
_LONGEST = 40


@click.command(name="new")
@click.argument("kind", type=Choice(KINDS, "kind of plugin"))
@click.argument("name")
@click.option("--out", metavar="DIR", help="The new folder.  [default: NAME]")
def command(kind: str, name: str, out: str | None) -> None:
    """Write a plugin: a distribution with a module, a test that passes, and a README.

    \b
    harness new task support-tickets
    harness new model word-counts --out plugins/word-counts

    It works as it is written: change it step by step, and its test says what breaks.
    The folder must not exist; it is written whole or not at all.
    """  # noqa: D301 - click reads the character, not its escape
    from harness.plugins.loader import load_plugins

    check_name(kind, name, load_plugins())
    folder = user_path(out or name)
    files = list(skeleton(kind, name))
    write_folder(folder, dict(files))
    click.echo(f"written: {shown_path(folder)}")
    for path, _ in files:
        click.echo(f"  {path}")
    click.echo(f"next: cd {shown_path(folder)} && pip install -e '.[test]' && pytest")


def check_name(kind: str, name: str, plugins: Plugins) -> None:
    """Raise HarnessError for a name that a distribution, its module or what it brings cannot have."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
        better = "-".join(words)[:_LONGEST].strip("-")
        raise HarnessError(
            f"{name!r} is not a name for a plugin: lower-case words joined by hyphens, {_LONGEST} characters"
            " at most, the first one a letter",
            hint=f"such as {better if _NAME.fullmatch(better) else 'support-tickets'}",
        )
    module = name.replace("-", "_")
    reserved = keyword.iskeyword(module) or keyword.issoftkeyword(module)
    if reserved or module in (*sys.stdlib_module_names, "test", "tests"):
        raise HarnessError(
            f"{name!r} cannot be a plugin's name: {module} is a word of Python, or one of its modules",
            hint=f"such as {name}-{kind}",
        )
    if importlib.util.find_spec(module) is not None:
        raise HarnessError(
            f"a module {module} is installed already: one of the two would hide the other",
            hint=f"take another name, such as {name}-{kind}",
        )
    for what, brought in _names(kind, plugins).items():
        if name in brought:
            raise HarnessError(
                f"a {what} named {name!r} exists already ({brought[name]}): neither would be used",
                exists=_nearest(name, brought),
                hint=f"take another name; `harness list {kind}s` shows those that exist",
            )


def _names(kind: str, plugins: Plugins) -> dict[str, Mapping[str, str]]:
    """Return the names that a new plugin must not have: what has them → name → where it comes from."""
    from harness.tasks.selection import tags_of

    names: dict[str, Mapping[str, str]] = {"plugin": {info.name: info.origin for info in plugins.infos}}
    hook = "harness_model_schemes" if kind == "model" else f"harness_{kind}s"
    offers: dict[str, Callable[[], Mapping[str, object]]] = {
        "task": plugins.tasks,
        "model": plugins.model_schemes,
        "check": plugins.checks,
        "trainer": plugins.trainers,
    }
    names[kind] = {name: f"plugin {plugins.origin(hook, name)}" for name in offers[kind]()}
    if kind == "task":
        tags = tags_of(plugins.tasks())
        names["tag of tasks"] = {tag: f"of {', '.join(tasks)}" for tag, tasks in tags.items()}
    return names


def _nearest(name: str, brought: Mapping[str, str]) -> str | None:
    others = [other for other in nearest(name, brought, most=4) if other != name]
    return f"alike: {', '.join(others)}" if others else None


def skeleton(kind: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a new plugin, sorted: path → content."""
    words = name.split("-")
    spellings = {
        "my-plugin": name,
        "my_plugin": "_".join(words),
        "MyPlugin": "".join(word.capitalize() for word in words),
    }
    root = SKELETONS / kind
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        relative = path.relative_to(root)
        if "__pycache__" not in relative.parts:
            named, content = (
                _PLACEHOLDER.sub(lambda found: spellings[found[0]], text)
                for text in (relative.as_posix(), path.read_text(encoding="utf-8"))
            )
            yield named, content


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a new folder, which appears whole: with all of them, or not at all.

    Raises HarnessError where the folder exists, or cannot be written.
    """
    where = shown_path(folder)
    if os.path.lexists(folder):
        raise HarnessError(f"{where} exists already", hint="--out DIR writes to another folder")
    if not folder.parent.is_dir():
        raise HarnessError(f"no folder {shown_path(folder.parent)} to write {folder.name} to")
    try:
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise HarnessError(f"cannot write {where}: {error.strerror}") from error
    try:
        # Not the folder of `mkdtemp` itself, which no other user may read.
        whole = beside / "whole"
        for path, content in files.items():
            (whole / path).parent.mkdir(parents=True, exist_ok=True)
            (whole / path).write_text(content, encoding="utf-8")
        whole.rename(folder)
    except OSError as error:
        raise HarnessError(f"cannot write {where}: {error.strerror}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
