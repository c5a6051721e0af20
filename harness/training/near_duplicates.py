"""Know a text again: exactly, after normalization, by its hash; nearly, by its MinHash signature."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from datasketch import MinHash, MinHashLSH
    from pyarrow.parquet import ParquetFile

SIGNATURES = "training-texts.parquet"
"""Name of the file beside lineage.json that holds the signatures of the training texts."""
NEAR = 0.8
"""Estimated Jaccard similarity of two texts' shingles from which on they are near-duplicates."""

_PERMUTATIONS = 128
"""An estimate near 0.8 has a standard error of 0.035."""
_SEED = 1
_BANDS = (21, 6)
"""Bands and their width: two texts of similarity 0.8 meet in one with 99.8 %, of 0.5 with 28 %."""
_SHINGLE = 5
"""Characters: of words, a sentence has too few for one of them to be changed."""
_MULTIPLIER = 0x9E3779B1
_READ_AT_ONCE = 1_024
"""Signatures: half a megabyte."""


class _Kept(dict[int, str | int]):
    """What becomes of a character, found out when it is first met: str.translate asks."""

    def __missing__(self, point: int) -> str | int:
        apart = unicodedata.category(chr(point))[0] in "PZC"
        return self.setdefault(point, " " if apart else point)


_KEPT = _Kept()


def normalize_text(text: str) -> str:
    """Return a text without what does not make it another: case, width, punctuation, white space.

    NFKC, casefold, and every run of punctuation, separators and control characters as one space.
    A text of nothing else stays what it is.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_KEPT).split()) or "".join(folded.split())


def text_hash(text: str) -> str:
    """Sixteen hex digits that two texts share when they are equal once normalized."""
    return hashlib.blake2b(normalize_text(text).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def text_hashes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted, distinct hashes of texts; what is blank is left out, as it tells nothing."""
    return tuple(sorted({text_hash(text) for text in set(texts) if text.strip()}))


def shingles(text: str) -> np.ndarray:
    """Hash every run of five characters of a text, normalized: distinct uint32; a shorter text is one run."""
    import numpy as np

    points = np.frombuffer(normalize_text(text).encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)
    runs = max(len(points) - _SHINGLE + 1, 1)
    found = np.zeros(runs, dtype=np.uint32)
    for place in range(min(_SHINGLE, len(points))):
        found = found * np.uint32(_MULTIPLIER) + points[place : place + runs]
    return np.unique(found)


@dataclass(frozen=True)
class Signatures:
    """MinHash signatures of distinct texts (Broder, 1997), from which near-duplicates are found."""

    hashes: tuple[str, ...]
    """As `text_hash` has them, sorted."""
    rows: np.ndarray
    """(n, 128) uint32."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Signatures:
        """Sign texts; what is blank is left out, and of texts with one hash all but one."""
        import numpy as np

        named = {text_hash(text): text for text in sorted(set(texts)) if text.strip()}
        hashes = tuple(sorted(named))
        rows = [_signed(shingles(named[name])).hashvalues for name in hashes]
        return cls(hashes, np.array(rows, dtype=np.uint32).reshape(len(rows), _PERMUTATIONS))

    def near(self, texts: Sequence[str]) -> list[str | None]:
        """Return each text's nearest signed text, by hash; None where no near-duplicate is signed."""
        found = []
        for text in texts:
            likest = (
                self._likest(_signed(shingles(text)).hashvalues) if text.strip() and len(self.rows) else None
            )
            found.append(None if likest is None else self.hashes[likest])
        return found

    @cached_property
    def _index(self) -> MinHashLSH:
        from datasketch import MinHashLSH

        index = MinHashLSH(threshold=NEAR, num_perm=_PERMUTATIONS, params=_BANDS)
        for row, values in enumerate(self.rows):
            index.insert(row, _from(values), check_duplication=False)
        return index

    def candidates(self, values: np.ndarray) -> list[int]:
        """Return the places of signed texts that may be near-duplicates of the one with this signature."""
        found: list[int] = self._index.query(_from(values))
        return found

    def _likest(self, values: np.ndarray) -> int | None:
        alike = [(_alike(values, self.rows[row]), -row) for row in self.candidates(values)]
        best, place = max(alike, default=(0.0, 0))
        return -place if best >= NEAR else None


def near_copies(rows: Sequence[tuple[str, ...]]) -> list[bool]:
    """Say of each row whether another one is nearly equal to it, or equal, in every column: (n,).

    rows: of equal width. Candidates are found by whole rows, and judged column by column: a long text that
    two rows share does not hide that their short ones differ.
    """
    import numpy as np

    if not rows:
        return []
    signed: dict[str, np.ndarray] = {}
    for text in (text for row in rows for text in (*row, "\n".join(row))):
        if text not in signed:
            signed[text] = _signed(shingles(text)).hashvalues
    columns = [np.array([signed[row[place]] for row in rows]) for place in range(len(rows[0]))]
    whole = Signatures(tuple(map(str, range(len(rows)))), np.array([signed["\n".join(row)] for row in rows]))
    found = [False] * len(rows)
    for row, values in enumerate(whole.rows):
        # A row known to have a copy is not asked again: its copies found it, and templates make thousands.
        if found[row]:
            continue
        others = np.array([other for other in whole.candidates(values) if other != row], dtype=int)
        alike = [(column[others] == column[row]).mean(axis=1) >= NEAR for column in columns]
        for other in others[np.logical_and.reduce(alike)]:
            found[row] = found[int(other)] = True
    return found


def write_signatures(folder: Path, texts: Iterable[str]) -> None:
    """Write the signatures of training texts beside a candidate's lineage: columns `hash` and `minhash`."""
    import pyarrow as pa
    from pyarrow import parquet

    signed = Signatures.of(texts)
    values = [row.astype("<u4").tobytes() for row in signed.rows]
    columns: Mapping[str, pa.Array] = {
        "hash": pa.array(signed.hashes, type=pa.string()),
        "minhash": pa.array(values, type=pa.binary(4 * _PERMUTATIONS)),
    }
    parquet.write_table(pa.table(columns), folder / SIGNATURES, compression="zstd")


def read_signatures(folder: Path, texts: Sequence[str]) -> Signatures | None:
    """Read a candidate's signatures; None where there are none.

    texts: sorted hashes of its training texts, as its lineage has them; their signatures stand in this order.
    Raises HarnessError for a file that is broken, or holds another number of signatures.
    """
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / SIGNATURES
    if not path.is_file():
        return None
    try:
        with parquet.ParquetFile(path) as file:
            rows = _read_rows(file, len(texts))
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise HarnessError(f"{path} cannot be read: {error}", hint="train again, or remove it") from error
    return Signatures(tuple(texts), rows)


def _read_rows(file: ParquetFile, count: int) -> np.ndarray:
    """Read (count, 128) uint32 from an open file, of which nothing is believed but its column's width.

    Raises ValueError where there are more signatures, or fewer, before more memory is taken than they need.
    """
    import numpy as np
    import pyarrow as pa

    width = file.schema_arrow.field("minhash").type
    if width != pa.binary(4 * _PERMUTATIONS):
        raise ValueError(f"its signatures are of type {width}")
    rows, found = np.empty((count, _PERMUTATIONS), dtype="<u4"), 0
    for piece in file.iter_batches(batch_size=_READ_AT_ONCE, columns=["minhash"]):
        begin, found = found, found + len(piece)
        if found > count:
            break
        values = b"".join(piece.column(0).to_pylist())
        rows[begin:found] = np.frombuffer(values, dtype="<u4").reshape(len(piece), _PERMUTATIONS)
    if found != count:
        raise ValueError(f"it does not hold the signatures of the {count:,} texts of the lineage")
    return rows.astype(np.uint32, copy=False)


def _signed(values: np.ndarray) -> MinHash:
    from datasketch import MinHash

    # The scheme is part of what is written to disk: another one's values cannot be compared.
    signed = MinHash(_PERMUTATIONS, seed=_SEED, hashfunc=int, permutations=_permutations(), scheme="affine32")
    signed.update_batch(values)
    return signed


def _from(values: np.ndarray) -> MinHash:
    from datasketch import MinHash

    return MinHash(hashvalues=values, permutations=_permutations(), scheme="affine32")


_DRAWN: dict[int, np.ndarray] = {}


def _permutations() -> np.ndarray:
    """Draw the permutations once: it takes longer than to sign a sentence."""
    if _SEED not in _DRAWN:
        from datasketch import MinHash

        _DRAWN[_SEED] = MinHash(_PERMUTATIONS, seed=_SEED, scheme="affine32").permutations
    return _DRAWN[_SEED]


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Estimate the Jaccard similarity of two texts' shingles from their signatures."""
    return float((one == other).mean())
