"""Find equal texts by the hash of their normalized form, and near-duplicates by MinHash signatures."""

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
"""Name of the file next to lineage.json that holds the signatures of the training texts."""
NEAR = 0.8
"""Minimum estimated Jaccard similarity of the shingles of near-duplicates."""

_PERMUTATIONS = 128
"""Length of a signature: an estimate near 0.8 has a standard error of 0.035."""
_SEED = 1
_BANDS = (21, 6)
"""Number of bands and their width: two texts of similarity 0.8 share one with 99.8 %, of 0.5 with 28 %."""
_SHINGLE = 5
"""Length of a shingle in characters; a sentence has too few words for shingles of words."""
_MULTIPLIER = 0x9E3779B1
_READ_AT_ONCE = 1_024
"""Signatures per batch of reading: half a megabyte."""


class _Separators(dict[int, str | int]):
    """Table for `str.translate` that maps punctuation, separators and control characters to a space."""

    def __missing__(self, point: int) -> str | int:
        separates = unicodedata.category(chr(point))[0] in "PZC"
        return self.setdefault(point, " " if separates else point)


_SEPARATORS = _Separators()


def normalize_text(text: str) -> str:
    """Return a text without differences in case, width, punctuation and white space.

    NFKC, casefold, and every run of punctuation, separators and control characters as one space.
    A text of only such characters keeps them.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.translate(_SEPARATORS).split()) or "".join(folded.split())


def text_hash(text: str) -> str:
    """Return 16 hex digits, equal for texts that are equal after normalization."""
    return hashlib.blake2b(normalize_text(text).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def text_hashes(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted, distinct hashes of texts; blank texts are left out."""
    return tuple(sorted({text_hash(text) for text in set(texts) if text.strip()}))


def shingles(text: str) -> np.ndarray:
    """Hash every run of five characters of a normalized text: distinct uint32; a shorter text is one run."""
    import numpy as np

    points = np.frombuffer(normalize_text(text).encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)
    runs = max(len(points) - _SHINGLE + 1, 1)
    hashes = np.zeros(runs, dtype=np.uint32)
    for offset in range(min(_SHINGLE, len(points))):
        hashes = hashes * np.uint32(_MULTIPLIER) + points[offset : offset + runs]
    return np.unique(hashes)


@dataclass(frozen=True)
class Signatures:
    """MinHash signatures of distinct texts (Broder, 1997), for finding near-duplicates."""

    hashes: tuple[str, ...]
    """Hashes by `text_hash`, sorted."""
    rows: np.ndarray
    """(n, 128) uint32."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> Signatures:
        """Sign texts; blank texts are left out, and of texts with the same hash all but one."""
        import numpy as np

        named = {text_hash(text): text for text in sorted(set(texts)) if text.strip()}
        hashes = tuple(sorted(named))
        rows = [_signed(shingles(named[name])).hashvalues for name in hashes]
        return cls(hashes, np.array(rows, dtype=np.uint32).reshape(len(rows), _PERMUTATIONS))

    def near(self, texts: Sequence[str]) -> list[str | None]:
        """Return the hash of each text's nearest signed text; None without a near-duplicate."""
        nearest = []
        for text in texts:
            row = (
                self._nearest(_signed(shingles(text)).hashvalues) if text.strip() and len(self.rows) else None
            )
            nearest.append(None if row is None else self.hashes[row])
        return nearest

    @cached_property
    def _index(self) -> MinHashLSH:
        from datasketch import MinHashLSH

        index = MinHashLSH(threshold=NEAR, num_perm=_PERMUTATIONS, params=_BANDS)
        for row, values in enumerate(self.rows):
            index.insert(row, _from(values), check_duplication=False)
        return index

    def candidates(self, values: np.ndarray) -> list[int]:
        """Return the rows of signed texts that may be near-duplicates of the text with this signature."""
        rows: list[int] = self._index.query(_from(values))
        return rows

    def _nearest(self, values: np.ndarray) -> int | None:
        similarities = [(_similarity(values, self.rows[row]), -row) for row in self.candidates(values)]
        best, negated = max(similarities, default=(0.0, 0))
        return -negated if best >= NEAR else None


def near_copies(rows: Sequence[tuple[str, ...]]) -> list[bool]:
    """Return whether each row has another row that is equal or nearly equal to it in every column: (n,).

    rows: of equal width. Candidates are found by whole rows and compared column by column: a long text that
    two rows share does not hide a difference in their short texts.
    """
    import numpy as np

    if not rows:
        return []
    signed: dict[str, np.ndarray] = {}
    for text in (text for row in rows for text in (*row, "\n".join(row))):
        if text not in signed:
            signed[text] = _signed(shingles(text)).hashvalues
    columns = [np.array([signed[row[column]] for row in rows]) for column in range(len(rows[0]))]
    whole = Signatures(tuple(map(str, range(len(rows)))), np.array([signed["\n".join(row)] for row in rows]))
    copied = [False] * len(rows)
    for row, values in enumerate(whole.rows):
        # A row that is known to have a copy is skipped: templates make thousands of copies.
        if copied[row]:
            continue
        others = np.array([other for other in whole.candidates(values) if other != row], dtype=int)
        similar = [(column[others] == column[row]).mean(axis=1) >= NEAR for column in columns]
        for other in others[np.logical_and.reduce(similar)]:
            copied[row] = copied[int(other)] = True
    return copied


def write_signatures(folder: Path, texts: Iterable[str]) -> None:
    """Write the signatures of training texts next to a candidate's lineage: columns `hash` and `minhash`."""
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
    """Read the signatures of a candidate; None without a file.

    texts: sorted hashes of its training texts, from its lineage; the signatures are in this order.
    Raises HarnessError for a file that is corrupt, or has another number of signatures.
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
    """Read (count, 128) uint32 from an untrusted open file.

    Raises ValueError for another number of signatures, before more memory is allocated than they need.
    """
    import numpy as np
    import pyarrow as pa

    width = file.schema_arrow.field("minhash").type
    if width != pa.binary(4 * _PERMUTATIONS):
        raise ValueError(f"its signatures have type {width}")
    rows, total = np.empty((count, _PERMUTATIONS), dtype="<u4"), 0
    for piece in file.iter_batches(batch_size=_READ_AT_ONCE, columns=["minhash"]):
        begin, total = total, total + len(piece)
        if total > count:
            break
        values = b"".join(piece.column(0).to_pylist())
        rows[begin:total] = np.frombuffer(values, dtype="<u4").reshape(len(piece), _PERMUTATIONS)
    if total != count:
        raise ValueError(f"it does not hold the signatures of the {count:,} texts of the lineage")
    return rows.astype(np.uint32, copy=False)


def _signed(values: np.ndarray) -> MinHash:
    from datasketch import MinHash

    # The scheme is part of the format on disk: signatures of different schemes cannot be compared.
    signed = MinHash(_PERMUTATIONS, seed=_SEED, hashfunc=int, permutations=_permutations(), scheme="affine32")
    signed.update_batch(values)
    return signed


def _from(values: np.ndarray) -> MinHash:
    from datasketch import MinHash

    return MinHash(hashvalues=values, permutations=_permutations(), scheme="affine32")


_CACHED: dict[int, np.ndarray] = {}
"""Seed → its permutations."""


def _permutations() -> np.ndarray:
    """Return the permutations, drawn once: drawing takes longer than signing a sentence."""
    if _SEED not in _CACHED:
        from datasketch import MinHash

        _CACHED[_SEED] = MinHash(_PERMUTATIONS, seed=_SEED, scheme="affine32").permutations
    return _CACHED[_SEED]


def _similarity(left: np.ndarray, right: np.ndarray) -> float:
    """Estimate the Jaccard similarity of the shingles of two texts from their signatures."""
    return float((left == right).mean())
