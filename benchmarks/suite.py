"""The suite that tools are compared on: STS-B dev and test, ContractNLI's pairs, retrieval over its spans.

It is built from the published files, whose texts are not committed here. A digest over all rows is committed,
so that two reports of this suite are reports of the same rows.

    python -m benchmarks.suite --data ../shared/data
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import HarnessError, read_rows
from harness_clauses.release import CONTRADICTION, ENTAILMENT, read_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness_clauses.release import Annotation, Contract, Release

HERE = Path(__file__).parent
TASK_FILE = HERE / "suite-tasks.toml"
FIXED = HERE / "suite.toml"
DATA = HERE.parents[1] / "shared" / "data"
BUILT = HERE.parent / "build"
ROWS = "rows.json"
CONTRACTS = 20
"""Number of test contracts that are taken, of 123: a round of all variants stays within minutes."""
QUICK = 100
"""Rows of each part that `--quick` keeps."""
_GOLD = {ENTAILMENT: 1, CONTRADICTION: 0}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts and their gold value: a rating, or 1 for entailment and 0 for contradiction."""

    id: str
    left: str
    right: str
    gold: float
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """All rows, in the order in which every tool gets them."""

    stsb_dev: tuple[Pair, ...]
    stsb_test: tuple[Pair, ...]
    pairs: tuple[Pair, ...]
    """Evidence (left) and hypothesis (right) of every Entailment and Contradiction of those contracts.

    White space around evidence and spans is cut off, so that evidence of one span is the same text as the
    document.
    """
    queries: dict[str, str]
    """`contract/hypothesis` → the hypothesis, one for each contract that answers it by a span."""
    documents: dict[str, str]
    """`contract/position` → a span that is not blank, of the selected contracts."""
    relevant: dict[str, tuple[str, ...]]
    """Query → its evidence, with every document of the same text: no score depends on ties of equal texts."""

    def lists(self) -> tuple[list[str], ...]:
        """Return texts as a tool without deduplication encodes them: one list per call."""
        sides = (
            [[pair.left for pair in part], [pair.right for pair in part]]
            for part in (self.stsb_dev, self.stsb_test, self.pairs)
        )
        pairs = (side for part in sides for side in part)
        return (*pairs, [*self.queries.values()], [*self.documents.values()])

    def texts(self) -> list[str]:
        """Return all texts, as often as they occur."""
        return [text for part in self.lists() for text in part]

    def distinct(self) -> list[str]:
        """Return each text once, in the order of first occurrence."""
        return list(dict.fromkeys(self.texts()))

    @property
    def digest(self) -> str:
        """Hex SHA-256 over all rows, their order included."""
        content = json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    def head(self, rows: int) -> Suite:
        """Keep the first rows of each part, and the documents that the kept queries need."""
        queries = dict(list(self.queries.items())[:rows])
        relevant = {query: self.relevant[query] for query in queries}
        kept = {*list(self.documents)[:rows], *(name for names in relevant.values() for name in names)}
        return Suite(
            self.stsb_dev[:rows],
            self.stsb_test[:rows],
            _both_classes(self.pairs, rows),
            queries,
            {name: text for name, text in self.documents.items() if name in kept},
            relevant,
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a suite; tokens as the model reads them: special tokens included, long texts cut."""

    digest: str
    texts: int
    distinct: int
    tokens: int
    distinct_tokens: int


def read_suite(data: Path) -> Suite:
    """Read the published files below a data folder; raises HarnessError for what is missing or broken."""
    release = read_release(data / "contract-nli" / "test.json")
    documents = {
        f"{contract.id}/{position}": contract.spans[position].strip()
        for contract in release.contracts[:CONTRACTS]
        for position in contract.non_blank()
    }
    relevant = _relevant(release, documents)
    return Suite(
        _stsb(data / "stsb" / "stsb-en-dev.csv"),
        _stsb(data / "stsb" / "stsb-en-test.csv"),
        tuple(_pairs(release)),
        {query: release.hypotheses[query.rpartition("/")[2]] for query in relevant},
        documents,
        relevant,
    )


def count(suite: Suite, lengths: Sequence[int], *, limit: int | None) -> Counts:
    """Count texts and tokens; `lengths` are those of `suite.texts()`, `limit` is where they are cut."""
    texts = suite.texts()
    read = {text: min(length, limit or length) for text, length in zip(texts, lengths, strict=True)}
    return Counts(suite.digest, len(texts), len(read), sum(read[text] for text in texts), sum(read.values()))


def fixed() -> Counts:
    """Return the committed counts."""
    return Counts(**tomllib.loads(FIXED.read_text(encoding="utf-8"))["suite"])


def check(suite: Suite) -> None:
    """Raise HarnessError where the rows do not have the committed digest."""
    expected, digest = fixed().digest, suite.digest
    if digest != expected:
        raise HarnessError(
            f"the suite has other rows than benchmarks/suite.toml: digest {digest[:12]}, not {expected[:12]}",
            exists=f"{len(suite.texts())} texts; {fixed().texts} are expected",
            hint="the data folder must hold the published files byte for byte (docs/data.md)",
        )


def write(suite: Suite, folder: Path) -> Path:
    """Write the rows in the formats that users have; return the task file next to them."""
    spans = folder / "spans"
    (spans / "qrels").mkdir(parents=True, exist_ok=True)
    for name, part in (("stsb-dev", suite.stsb_dev), ("stsb-test", suite.stsb_test)):
        rows = ({"id": pair.id, "text1": pair.left, "text2": pair.right, "score": pair.gold} for pair in part)
        _write_lines(folder / f"{name}.jsonl", rows)
    _write_lines(folder / "pairs.jsonl", (_clause(pair) for pair in suite.pairs))
    for name, named in (("queries", suite.queries), ("corpus", suite.documents)):
        _write_lines(spans / f"{name}.jsonl", ({"_id": key, "text": text} for key, text in named.items()))
    judged = [f"{query}\t{name}\t1\n" for query, names in suite.relevant.items() for name in names]
    text = "query-id\tcorpus-id\tscore\n" + "".join(judged)
    (spans / "qrels" / "test.tsv").write_text(text, encoding="utf-8")
    return Path(shutil.copy(TASK_FILE, folder))


def build(data: Path, folder: Path, *, quick: bool = False) -> tuple[Suite, Path]:
    """Read, check and write the suite; return it and its task file. A quick one is checked before it is cut.

    Raises HarnessError for data that is missing, broken or not the published one.
    """
    suite = read_suite(data)
    check(suite)
    if quick:
        suite = suite.head(QUICK)
    tasks = write(suite, folder)
    (folder / ROWS).write_text(json.dumps(asdict(suite), ensure_ascii=False), encoding="utf-8")
    return suite, tasks


def load_built(folder: Path) -> Suite:
    """Read the rows that `build` left in a folder, at once and without any of the tools' readers."""
    import msgspec

    return msgspec.json.decode((folder / ROWS).read_bytes(), type=Suite)


def _stsb(path: Path) -> tuple[Pair, ...]:
    columns = ("left", "right", "score")
    rows = read_rows(path, columns, header=columns)
    both = zip(*(rows[column] for column in columns), strict=True)
    return tuple(Pair(str(row), left, right, float(score)) for row, (left, right, score) in enumerate(both))


def _answered(release: Release) -> Iterator[tuple[Contract, Annotation]]:
    for contract in release.contracts[:CONTRACTS]:
        for annotation in contract.annotations:
            if annotation.choice in _GOLD and contract.evidence(annotation).strip():
                yield contract, annotation


def _pairs(release: Release) -> Iterator[Pair]:
    for contract, annotation in _answered(release):
        yield Pair(
            f"{contract.id}/{annotation.hypothesis}",
            contract.evidence(annotation).strip(),
            release.hypotheses[annotation.hypothesis],
            _GOLD[annotation.choice],
            contract.id,
        )


def _relevant(release: Release, documents: dict[str, str]) -> dict[str, tuple[str, ...]]:
    by_text: dict[str, list[str]] = {}
    for name, text in documents.items():
        by_text.setdefault(text, []).append(name)
    evidence = {}
    for contract, annotation in _answered(release):
        own = (f"{contract.id}/{position}" for position in annotation.evidence)
        texts = dict.fromkeys(documents[name] for name in own if name in documents)
        names = tuple(name for text in texts for name in by_text[text])
        evidence[f"{contract.id}/{annotation.hypothesis}"] = names
    return {query: names for query, names in evidence.items() if names}


def _both_classes(pairs: Sequence[Pair], rows: int) -> tuple[Pair, ...]:
    """Return the first rows: entailments, and a few contradictions, so that there are two classes."""
    few = [pair for pair in pairs if not pair.gold][: max(rows // 5, 1)]
    return (*[pair for pair in pairs if pair.gold][: rows - len(few)], *few)


def _clause(pair: Pair) -> dict[str, Any]:
    label = "entailment" if pair.gold else "contradiction"
    row = {"id": pair.id, "cluster": pair.cluster, "clause": pair.left, "hypothesis": pair.right}
    return row | {"label": label}


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Build the suite, and print its counts as `suite.toml` has them."""
    parser = argparse.ArgumentParser(description="Build the suite that tools are compared on.")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the real data (docs/data.md)")
    parser.add_argument("--out", type=Path, help="where to (default: build/suite or build/suite-quick)")
    parser.add_argument("--quick", action="store_true", help=f"the first {QUICK} rows of each part")
    parser.add_argument("--count", action="store_true", help="print the counts; the digest is not checked")
    options = parser.parse_args()
    if options.count:
        _print_counts(read_suite(options.data))
        return
    suite, tasks = build(options.data, options.out or default_folder(options.quick), quick=options.quick)
    print(f"{len(suite.texts())} texts, {len(suite.distinct())} distinct: {tasks}")


def default_folder(quick: bool) -> Path:
    """Return the folder that the suite is built in by default; git ignores it."""
    return BUILT / ("suite-quick" if quick else "suite")


def _print_counts(suite: Suite) -> None:
    from harness import load_model

    model = load_model("minilm")
    lengths = model.count_tokens(suite.texts())
    if lengths is None:
        raise HarnessError("the model does not count tokens")
    counts = count(suite, lengths.tolist(), limit=model.facts.max_tokens)
    print("[suite]", *(f"{key} = {json.dumps(value)}" for key, value in asdict(counts).items()), sep="\n")


if __name__ == "__main__":
    main()
