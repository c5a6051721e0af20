"""`harness cache`: show, verify and clear the cache of embeddings."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.usage import Group
from harness.errors import HarnessError
from harness.render import plural
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from harness.cli.documents import CacheStoreEntry
    from harness.encoding.cache_folder import StoreOnDisk
    from harness.table import Cell, Table

_SECONDS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
"""Unit of an age → seconds."""


@click.group(
    name="cache",
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Show, verify and clear the cache of embeddings.

    DIR is `--cache` of `harness run`. Default: HARNESS_CACHE, else `cache` in harness.toml, else
    ~/.cache/harness.
    """


@command.command(name="info")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(folder: str | None, as_json: bool) -> None:
    """Show what is kept: models, roles, texts, bytes, last use, and the maximum size."""
    from harness.cli.config import read_config
    from harness.cli.options import cache_limit
    from harness.cli.output import console, echo, print_tables, say
    from harness.encoding.cache_folder import default_limit, shown_size
    from harness.system.json_text import json_document

    path = _cache_folder(folder)
    limit = cache_limit(None, read_config(Path.cwd())) or default_limit(path)
    stored = _stores(path)
    total = sum(store.bytes for store in stored)
    if as_json:
        from harness.cli.documents import CacheDocument

        shown = tuple(_as_data(store) for store in stored)
        document = CacheDocument(folder=shown_path(path), bytes=total, limit=limit, stores=shown)
        echo(json_document(document))
        return

    target = console()
    if stored:
        print_tables([_table(stored)], target)
    say(f"{path}: {shown_size(total)} of at most {shown_size(limit)}", target)


@command.command(name="verify")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--remove", is_flag=True, help="Remove what is damaged; its texts are encoded again.")
def verify(folder: str | None, remove: bool) -> None:
    """Read every segment and verify its checksums; files that are not ours are named and left alone.

    A run verifies the segments that it reads, too, and removes damaged ones. Exit codes: 0 no damage,
    2 damage found.
    """
    from harness.cli.output import console, say
    from harness.encoding.cache_folder import find_corruption

    path, target = _cache_folder(folder), console()
    stored = _stores(path)
    for foreign in (file for store in stored for file in store.foreign):
        say(f"not ours: {foreign}", target)
    damages = list(find_corruption(path))
    for damage in damages:
        line = f"DAMAGED {damage.path}: {damage.reason}"
        if remove and damage.removable:
            _unlink(damage.path)
            line += "; removed"
        say(line, target)
    segments = sum(len(store.segments) for store in stored)
    say(
        f"{path}: {plural(segments, 'segment')} of {plural(len(stored), 'store')} read,"
        f" {len(damages)} damaged",
        target,
    )
    if damages:
        sys.exit(2)


@command.command(name="clear")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--model", metavar="PREFIX", help="Only models whose fingerprint starts with this.")
@click.option("--older-than", metavar="AGE", help="Only what no run has used for this long: 12h, 30d, 8w.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(folder: str | None, model: str | None, older_than: str | None, yes: bool) -> None:
    """Remove embeddings, and what was found of models when they were loaded; runs make again what they need.

    Files that are not ours stay.
    """
    from harness.encoding.cache_folder import clear as remove
    from harness.encoding.cache_folder import finish_clearing, proofs, shown_size

    path = _cache_folder(folder)
    finish_clearing(path)
    before = time.time() - _seconds(older_than)
    # Names of stores have the start of a fingerprint: a longer PREFIX starts with it.
    chosen = [
        store
        for store in _stores(path)
        if (model is None or store.fingerprint.startswith(model[: len(store.fingerprint)]))
        and (older_than is None or store.used < before)
    ]
    proved = [
        proof
        for proof in proofs(path)
        if (model is None or proof.path.name.startswith(model[:16]))
        and (older_than is None or proof.used < before)
    ]
    size = shown_size(sum(store.bytes for store in chosen))
    if not (chosen or proved):
        click.echo(f"nothing to remove in {shown_path(path)}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise HarnessError(
                f"this would remove {plural(len(chosen), 'store')}, {size}", hint="confirm it: --yes"
            )
        click.confirm(f"Remove {plural(len(chosen), 'store')}, {size}, from {shown_path(path)}?", abort=True)
    for proof in proved:
        with suppress(OSError):
            proof.path.unlink()
    of_models = f", and what was found of {plural(len(proved), 'model')}," if proved else ""
    click.echo(f"removed {shown_size(remove(chosen))}{of_models} from {shown_path(path)}")
    segments = [*(segment for store in chosen for segment in store.segments), *proved]
    left = [segment for segment in segments if os.path.lexists(segment.path)]
    if left:
        raise HarnessError(
            f"{len(left)} files could not be removed, {shown_size(sum(segment.bytes for segment in left))}",
            exists=f"such as {left[0].path}",
            hint="whose are they? removing needs the right to write their folder",
        )


def _cache_folder(argument: str | None) -> Path:
    """Return the folder of the cache; raises HarnessError where it does not exist or cannot be determined."""
    from harness.cli.config import read_config
    from harness.encoding.cache_folder import default_folder

    if argument:
        if not user_path(argument).is_dir():
            raise HarnessError(f"no folder {argument}")
        return user_path(argument)
    folder = default_folder(read_config(Path.cwd()).cache)
    if folder is None:
        raise HarnessError("cannot determine a home directory for the cache", hint="give its folder: DIR")
    return folder


def _stores(folder: Path) -> list[StoreOnDisk]:
    from harness.encoding.cache_folder import stores

    try:
        return stores(folder)
    except OSError as error:
        raise HarnessError(f"cannot read {folder}: {error.strerror}") from error


def _as_data(store: StoreOnDisk) -> CacheStoreEntry:
    from harness.cli.documents import CacheStoreEntry

    return CacheStoreEntry(
        store=store.folder.name,
        fingerprint=store.fingerprint,
        role=store.role,
        texts=store.texts,
        bytes=store.bytes,
        segments=len(store.segments),
        used=_last_used(store),
    )


def _last_used(store: StoreOnDisk) -> str | None:
    """Return when a store was last used, UTC, ISO 8601; None for an empty one."""
    if not store.segments:
        return None
    return dt.datetime.fromtimestamp(store.used, dt.UTC).isoformat(timespec="seconds")


def _table(stored: list[StoreOnDisk]) -> Table:
    from harness.table import Table

    header = ["model", "role", "texts", "size", "last used"]
    return Table("embeddings", "by model and role", header, [_row(store) for store in stored])


def _row(store: StoreOnDisk) -> list[Cell]:
    from harness.encoding.cache_folder import shown_size
    from harness.table import Cell

    texts = "?" if store.texts is None else f"{store.texts:,}"
    cells = (store.fingerprint, store.role, texts, shown_size(store.bytes), _last_used(store) or "")
    return [Cell(cell) for cell in cells]


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    age = re.fullmatch(r"(\d+)([hdw])", text.strip())
    if not age:
        raise HarnessError(f"invalid age {text!r} for --older-than", hint="such as 12h, 30d or 8w")
    return float(int(age[1]) * _SECONDS[age[2]])


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(f"cannot remove {path}: {error.strerror}") from error
