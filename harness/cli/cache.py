"""`harness cache`: what the cache of embeddings holds, whether it is sound, and removing it."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from harness.encoding.cache_folder import StoreOnDisk
    from harness.render import Cell, Table

_AGES = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}


@click.group(
    name="cache",
    short_help="Show, verify and clear the cache of embeddings.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
def command() -> None:
    """Show, verify and clear the cache of embeddings.

    DIR is `--cache` of `harness run`: unless given, HARNESS_CACHE, `cache` in harness.toml, or
    ~/.cache/harness.
    """


@command.command(name="info")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def info(folder: str | None, as_json: bool) -> None:
    """Say what is kept: models, roles, texts, bytes, when last used, and how much may be kept."""
    from harness.cli.config import read_config
    from harness.cli.options import cache_limit
    from harness.encoding.cache_folder import default_limit, shown_size

    place = _cache_folder(folder)
    limit = cache_limit(None, read_config(Path.cwd())) or default_limit(place)
    found = _stores(place)
    total = sum(store.bytes for store in found)
    if as_json:
        told = {"folder": str(place), "bytes": total, "limit": limit}
        click.echo(json.dumps({**told, "stores": [_as_data(store) for store in found]}, indent=1))
        return
    from harness.cli.output import console, print_tables, say

    target = console()
    if found:
        print_tables([_table(found)], target)
    say(f"{place}: {shown_size(total)} of at most {shown_size(limit)}", target)


@command.command(name="verify")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--remove", is_flag=True, help="Remove what is damaged; its texts are encoded again.")
def verify(folder: str | None, remove: bool) -> None:
    """Read every segment and compare its checksums; files that are not ours are named and left alone.

    A run verifies what it takes, too, and removes what is damaged. Exit codes: 0 all sound, 2 damage found.
    """
    from harness.cli.output import console, say
    from harness.encoding.cache_folder import find_corruption

    place, target = _cache_folder(folder), console()
    found = _stores(place)
    for path in (path for store in found for path in store.foreign):
        say(f"not ours: {path}", target)
    damaged = list(find_corruption(place))
    for one in damaged:
        said = f"DAMAGED {one.path}: {one.reason}"
        if remove and one.removable:
            _unlink(one.path)
            said += "; removed"
        say(said, target)
    segments = sum(len(store.segments) for store in found)
    say(f"{place}: {segments} segments of {len(found)} stores read, {len(damaged)} damaged", target)
    if damaged:
        sys.exit(2)


@command.command(name="clear")
@click.argument("folder", required=False, metavar="[DIR]")
@click.option("--model", metavar="PREFIX", help="Only of models whose fingerprint begins so.")
@click.option("--older-than", metavar="AGE", help="Only what no run has used for so long: 12h, 30d, 8w.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(folder: str | None, model: str | None, older_than: str | None, yes: bool) -> None:
    """Remove embeddings; runs encode again what they need. Files that are not ours stay."""
    from harness.encoding.cache_folder import clear as remove
    from harness.encoding.cache_folder import shown_size

    place = _cache_folder(folder)
    before = time.time() - _seconds(older_than)
    # Fingerprints in the names of stores are cut: a longer one that is given begins with what is there.
    chosen = [
        store
        for store in _stores(place)
        if (model is None or store.fingerprint.startswith(model[: len(store.fingerprint)]))
        and (older_than is None or store.used < before)
    ]
    size = shown_size(sum(store.bytes for store in chosen))
    if not chosen:
        click.echo(f"nothing to remove in {place}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise HarnessError(f"this would remove {len(chosen)} stores, {size}", hint="say so: --yes")
        click.confirm(f"Remove {len(chosen)} stores, {size}, from {place}?", abort=True)
    click.echo(f"removed {shown_size(remove(chosen))} from {place}")


def _cache_folder(given: str | None) -> Path:
    """The folder that is meant; raises HarnessError where there is none to be meant."""
    from harness.cli.config import read_config
    from harness.encoding.cache_folder import default_folder

    if given:
        if not user_path(given).is_dir():
            raise HarnessError(f"no folder {given}")
        return user_path(given)
    folder = default_folder(read_config(Path.cwd()).cache)
    if folder is None:
        raise HarnessError("there is no home to keep a cache in", hint="name its folder")
    return folder


def _stores(folder: Path) -> list[StoreOnDisk]:
    from harness.encoding.cache_folder import stores

    try:
        return stores(folder)
    except OSError as error:
        raise HarnessError(f"{folder} cannot be read: {error.strerror}") from error


def _as_data(store: StoreOnDisk) -> dict[str, object]:
    return {
        "store": store.folder.name,
        "fingerprint": store.fingerprint,
        "role": store.role,
        "texts": store.texts,
        "bytes": store.bytes,
        "segments": len(store.segments),
        "used": _last_used(store),
    }


def _last_used(store: StoreOnDisk) -> str | None:
    """When a store was last used, UTC, ISO 8601; None for an empty one."""
    if not store.segments:
        return None
    return dt.datetime.fromtimestamp(store.used, dt.UTC).isoformat(timespec="seconds")


def _table(found: list[StoreOnDisk]) -> Table:
    from harness.render import Table

    header = ["model", "role", "texts", "size", "last used"]
    return Table("embeddings", "by model and role", header, [_row(store) for store in found])


def _row(store: StoreOnDisk) -> list[Cell]:
    from harness.encoding.cache_folder import shown_size
    from harness.render import Cell

    texts = "?" if store.texts is None else f"{store.texts:,}"
    cells = (store.fingerprint, store.role, texts, shown_size(store.bytes), _last_used(store) or "")
    return [Cell(cell) for cell in cells]


def _seconds(text: str | None) -> float:
    if text is None:
        return 0.0
    found = re.fullmatch(r"(\d+)([hdw])", text.strip())
    if not found:
        raise HarnessError(f"--older-than {text!r} is no age", hint="such as 12h, 30d or 8w")
    return float(int(found[1]) * _AGES[found[2]])


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(f"cannot remove {path}: {error.strerror}") from error
