"""Find what is damaged in a folder of cached embeddings, by reading all of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.encoding.cache_folder import stores
from harness.encoding.segment import DamagedError, Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.encoding.cache_folder import StoreOnDisk


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it should be."""

    path: Path
    reason: str
    store: str
    """Name of the store's folder."""
    removable: bool = True
    """Whether a run is better off without it."""


def damage(folder: Path) -> Iterator[Damage]:
    """Read every segment of a cache, compare its checksums, and yield what is damaged.

    Raises OSError where a folder cannot be read.
    """
    for store in stores(folder):
        yield from _damage(store)


def _damage(store: StoreOnDisk) -> Iterator[Damage]:
    described, name = store.described(), store.folder.name
    key = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    if described is None or not name.endswith(f"-{key[:12]}"):
        # Its segments may be whole: the next run of this model writes the file anew, and takes them.
        if store.segments:
            path = store.folder / "store.json"
            yield Damage(path, "damaged or missing: its segments cannot be verified", name, removable=False)
        return
    for one in store.segments:
        try:
            Segment(one.path, key, described["dimensions"]).verify()
        except DamagedError as reason:
            yield Damage(one.path, str(reason), name)
        except FileNotFoundError:
            continue  # another process has just removed it
        except OSError as error:
            yield Damage(one.path, f"cannot be read ({error.strerror})", name, removable=False)
