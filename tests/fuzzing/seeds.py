"""What mutation starts from: small sound files of every format that is read."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzzing.mutators import Files

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "results" / "example"
PAIRS = [
    {"id": "a", "text1": "The lease ends.", "text2": "The contract is over.", "score": 4.5},
    {"id": "b", "text1": "A dog sleeps, as ever.", "text2": 'A "cat" runs.', "score": 1.0},
    {"id": "c", "text1": "Ein Überfall", "text2": "The lease ends.", "score": 0.25},
]
TRIPLETS = [
    {"anchor": f"He took {what}.", "positive": f"Theft of {what}", "negative": "Perjury", "id": what}
    for what in ("a ring", "bread", "two horses")
]
PLUGINS = ("sts", "triplet", "clauses", "retrieval", "train")
"""mteb is left out: its import takes longer than a thousand inputs."""


def table(rows: list[dict[str, Any]], ending: str, *, header: bool = True) -> bytes:
    """Write rows in one of the formats of tables, compressed or not."""
    ending, _, compression = ending.partition(".")
    if compression:
        return _COMPRESS[compression](table(rows, ending, header=header))
    if ending == "json":
        return json.dumps(rows, indent=1, ensure_ascii=False).encode()
    if ending == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    if ending in ("parquet", "arrow", "stream"):
        import pyarrow as pa
        from pyarrow import ipc, parquet

        sink, content = pa.BufferOutputStream(), pa.Table.from_pylist(rows)
        if ending == "parquet":
            parquet.write_table(content, sink)
        else:
            with (ipc.new_file if ending == "arrow" else ipc.new_stream)(sink, content.schema) as writer:
                writer.write_table(content, max_chunksize=2)
        return sink.getvalue().to_pybytes()
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="," if ending == "csv" else "\t", lineterminator="\n")
    writer.writerows(([rows[0].keys()] if header else []) + [row.values() for row in rows])
    return text.getvalue().encode()


def _zstandard(content: bytes) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


_COMPRESS = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": _zstandard,
}


def rows() -> list[Files]:
    """One table in every format."""
    endings = (
        "csv",
        "tsv",
        "txt",
        "jsonl",
        "json",
        "parquet",
        "arrow",
        "jsonl.gz",
        "csv.bz2",
        "tsv.zst",
        "json.xz",
    )
    stream = {"rows.arrow": table(PAIRS, "stream")}
    return [*({f"rows.{ending}": table(PAIRS, ending)} for ending in endings), stream]


def template() -> list[Files]:
    """Templates and records that have their fields."""
    record = {"title": "On leases", "page": 3, "weight": 0.5, "inner": {"text": "a", "deep": {"n": 1}}}
    texts = ("{title} — {page}\n{inner.text}", "{{{inner.deep.n}}} {weight}", "no field", "{title}{title}")
    return [{"template.txt": text.encode(), "record.json": json.dumps(record).encode()} for text in texts]


def config() -> list[Files]:
    """harness.toml, and the table in pyproject.toml."""
    keys = (
        'models = ["minilm", "base=lexical"]\ntasks = "sts"\nexclude = []\ndata = "data"\nout = "results"\n'
    )
    keys += 'cache = "~/cache"\ntask-files = ["tasks.toml"]\nplugins = ["own.py"]\n'
    project = f'[project]\nname = "x"\n[tool.harness]\n{keys}'
    return [{"harness.toml": keys.encode()}, {"pyproject.toml": project.encode()}]


def task_files() -> list[Files]:
    """A task of each kind, over files of each format."""
    sts = '[tasks.pairs]\nkind = "sts"\npath = "pairs.ENDING"\ntags = ["mine"]\n[tasks.pairs.columns]\n'
    sts += 'text1 = "text1"\nscore = "score"\n[tasks.pairs.templates]\ntext2 = "{text2} ({id})"\n'
    found = [
        {"tasks.toml": sts.replace("ENDING", ending).encode(), f"pairs.{ending}": table(PAIRS, ending)}
        for ending in ("csv", "jsonl", "parquet")
    ]
    triplet = b'[tasks.facts]\nkind = "triplet"\npath = "facts.tsv"\n'
    found.append({"tasks.toml": triplet, "facts.tsv": table(TRIPLETS, "tsv")})
    clauses = [
        {
            "clause": f"It is {what}.",
            "hypothesis": "All is secret.",
            "label": label,
            "cluster": str(number % 3),
        }
        for number, (what, label) in enumerate([("secret", "E"), ("told", "C")] * 6)
    ]
    own = b'[tasks.own]\nkind = "clauses"\npath = "test.csv"\ndev = "dev.csv"\ntrain = "train.jsonl"\n'
    own += b'labels = { entailment = "E", contradiction = "C" }\n'
    found.append(
        {"tasks.toml": own, "test.csv": table(clauses, "csv"), "dev.csv": table(clauses[2:], "csv")}
        | {"train.jsonl": table(clauses, "jsonl")}
    )
    folder = b'[tasks.contracts]\nkind = "clauses"\npath = "contract-nli"\n'
    found.append({"tasks.toml": folder, **contracts()[0]})
    found += own_layouts()
    beir_task = b'[tasks.search]\nkind = "retrieval"\npath = "aila-statutes"\nsplit = "test"\n'
    return [*found, {"tasks.toml": beir_task, **beir()[0]}]


def own_layouts() -> list[Files]:
    """Tasks over several files, without headers, with files of scores; saved datasets; lists of negatives."""
    sides = [{"text1": row["text1"], "text2": row["text2"]} for row in PAIRS]
    semeval = (
        b'[tasks.gs]\nkind = "sts"\npath = "STS.input.*.txt"\nscores = ["STS.gs.a.txt", "STS.gs.b.txt"]\n'
    )
    inputs = {f"STS.input.{name}.txt": table(sides, "txt", header=False) for name in "ab"}
    scored = {f"STS.gs.{name}.txt": b"1.5\n\n3\n" for name in "ab"}
    bare = b'[tasks.bare]\nkind = "sts"\npath = ["a.csv", "b.tsv"]\nheader = false\nquoting = "csv"\n'
    bare += b"columns = { id = 1, text1 = 2, text2 = 3, score = 4 }\n"
    saved = b'[tasks.saved]\nkind = "sts"\npath = "saved"\nsplit = "test"\n'
    state = json.dumps({"_data_files": [{"filename": "data-0.arrow"}, {"filename": "data-1.arrow"}]}).encode()
    shards = b'[tasks.hub]\nkind = "sts"\npath = "hub"\ncolumns = { id = "text1" }\n'
    several = b'[tasks.lists]\nkind = "triplet"\npath = "lists.jsonl"\n[tasks.mined]\nkind = "triplet"\n'
    several += b'path = "mined.csv"\ncolumns = { negative = "hard" }\n'
    lists = [{**row, "negative": ["one", "two"]} for row in TRIPLETS]
    mined = [{"anchor": row["anchor"], "positive": "p", "hard_1": "x", "hard_2": "y"} for row in TRIPLETS]
    without_id = [{**row, "id": f"{row['id']}2"} for row in PAIRS]
    return [
        {"tasks.toml": semeval + b'missing = "drop"\n', **inputs, **scored},
        {
            "tasks.toml": bare,
            "a.csv": table(PAIRS, "csv", header=False),
            "b.tsv": table(without_id, "tsv", header=False),
        },
        {
            "tasks.toml": saved,
            "saved/dataset_dict.json": b'{"splits": ["test"]}',
            "saved/test/state.json": state,
            "saved/test/data-0.arrow": table(PAIRS, "stream"),
            "saved/test/data-1.arrow": table(without_id, "arrow"),
        },
        {
            "tasks.toml": shards,
            "hub/data/test-00000-of-00002.parquet": table(PAIRS[:2], "parquet"),
            "hub/data/test-00001-of-00002.parquet": table(PAIRS[2:], "parquet"),
        },
        {"tasks.toml": several, "lists.jsonl": table(lists, "jsonl"), "mined.csv": table(mined, "csv")},
    ]


def published() -> list[Files]:
    """Data folders as they are published: STS-B, triplets, ContractNLI, BEIR."""
    pairs = [{"text1": row["text1"], "text2": row["text2"], "score": row["score"]} for row in PAIRS]
    facts = "legal-triplets/ipc-illustrations"
    return [
        {"stsb/stsb-en-test.csv": table(pairs, "csv", header=False)},
        {f"{facts}.jsonl": table(TRIPLETS, "jsonl")},
        {f"{facts}.csv": table(TRIPLETS, "csv")},
        *contracts(),
        *beir(),
    ]


def contracts() -> list[Files]:
    """ContractNLI's release in small: three splits, whose contracts are their own."""
    return [{f"contract-nli/{split}.json": _release(split) for split in ("dev", "test", "train")}]


def _release(split: str) -> bytes:
    text = "It is secret. It is told. \nIt ends."
    spans = [[0, 13], [14, 25], [25, 27], [27, 35]]
    choices = (("Entailment", [0]), ("Contradiction", [1, 3]), ("NotMentioned", []))
    hypotheses = [f"nda-{number}" for number in range(3)]
    documents = [
        {
            "id": f"{split}{number}", "file_name": "a.txt", "text": text, "spans": spans,
            "annotation_sets": [{"annotations": {
                name: dict(zip(("choice", "spans"), choices[(number + place) % 3], strict=True))
                for place, name in enumerate(hypotheses)
            }}],
        }
        for number in range(4)
    ]  # fmt: skip
    labels = {
        name: {"hypothesis": f"All is secret {name}.", "short_description": name} for name in hypotheses
    }
    return json.dumps({"documents": documents, "labels": labels}, indent=1).encode()


def beir() -> list[Files]:
    """A BEIR folder, in its own formats."""
    corpus = [
        {"_id": f"d{number}", "title": "On" * (number % 2), "text": f"law {number}"} for number in range(6)
    ]
    queries = [{"_id": f"q{number}", "text": f"which law {number}?"} for number in range(3)]
    judged = [
        {"query-id": f"q{number}", "corpus-id": f"d{number}", "score": number % 2 + 1} for number in range(3)
    ]
    return [
        {
            "aila-statutes/corpus.jsonl": table(corpus, "jsonl"),
            "aila-statutes/queries.jsonl": table(queries, "jsonl"),
            "aila-statutes/qrels/test.tsv": table(judged, "tsv"),
        }
    ]


def recipes() -> list[Files]:
    """The shipped recipes, and one that sets most keys, with its rows."""
    shipped = ROOT / "plugins" / "harness_train" / "shipped"
    return training_rows() + [{"recipe.toml": path.read_bytes()} for path in sorted(shipped.glob("*/*.toml"))]


def training_rows() -> list[Files]:
    """A recipe and its rows, in two formats."""
    return [
        {"recipe.toml": RECIPE.replace(b"jsonl", ending.encode()), f"rows.{ending}": table(PAIRS, ending)}
        for ending in ("jsonl", "parquet")
    ]


RECIPE = b"""\
name = "mine"
base = "nowhere"
revision = "abc"
trainer = "sentence-transformers"
about = "a recipe"
[data]
kind = "scored-pairs"
path = "./rows.jsonl"
columns = { text1 = "text1", score = "score" }
templates = { text2 = "{text2} {id}" }
score_range = [0, 5]
only = { id = "a" }
distinct = true
limit = 2
[loss]
name = "CoSENTLoss"
scale = 20.0
matryoshka = [32, 16]
[train]
batch_size = 8
epochs = 2
learning_rate = 2e-5
schedule = "cosine"
warmup = 0.1
seed = 7
[model]
pooling = "mean"
[evaluation]
tasks = ["stsb-dev"]
keep = "best"
every = "epoch"
"""


def gates() -> list[Files]:
    """A gate file with every key."""
    lines = '[[line]]\ntag = "legal"\ngain = 0.02\n'
    lines += '[[line]]\ntask = "stsb"\nmetric = "spearman"\nmargin = 0.005\nmin = 0.8\n'
    whole = f'margin = 0.01\nundecided = "fail"\nthroughput = 0.9\n{lines}'
    return [{"gate.toml": whole.encode()}, {"gate.toml": (EXAMPLE / "gate.toml").read_bytes()}]


def workloads() -> list[Files]:
    """A file with one text a line, and a plain text."""
    return [{"texts.txt": "one\ntwo words\n\ndrei Wörter hier\n".encode()}]
