"""What mutation starts from: small sound files of every format that is read."""

from __future__ import annotations

import json
import sys
from functools import cache
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
    """Write rows in one of the formats of tables."""
    if ending == "json":
        return json.dumps(rows, indent=1, ensure_ascii=False).encode()
    if ending == "jsonl":
        return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    if ending == "parquet":
        import pyarrow as pa
        from pyarrow import parquet

        sink = pa.BufferOutputStream()
        parquet.write_table(pa.Table.from_pylist(rows), sink)
        return sink.getvalue().to_pybytes()
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter="\t" if ending == "tsv" else ",", lineterminator="\n")
    writer.writerows(([rows[0].keys()] if header else []) + [row.values() for row in rows])
    return text.getvalue().encode()


def rows() -> list[Files]:
    """One table in every format."""
    return [{f"rows.{ending}": table(PAIRS, ending)} for ending in ("csv", "tsv", "jsonl", "json", "parquet")]


def template() -> list[Files]:
    """Templates and records that have their fields."""
    record = {"title": "On leases", "page": 3, "weight": 0.5, "inner": {"text": "a", "deep": {"n": 1}}}
    texts = ("{title} — {page}\n{inner.text}", "{{{inner.deep.n}}} {weight}", "no field", "{title}{title}")
    return [{"template.txt": text.encode(), "record.json": json.dumps(record).encode()} for text in texts]


def config() -> list[Files]:
    """harness.toml, and the table in pyproject.toml."""
    keys = 'models = ["minilm", "base=lexical"]\ntasks = "sts"\nexclude = []\ndata = "data"\nout = "results"\n'
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
        {"clause": f"It is {what}.", "hypothesis": "All is secret.", "label": label, "cluster": str(number % 3)}
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
    beir_task = b'[tasks.search]\nkind = "retrieval"\npath = "aila-statutes"\nsplit = "test"\n'
    return [*found, {"tasks.toml": beir_task, **beir()[0]}]


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
    labels = {name: {"hypothesis": f"All is secret {name}.", "short_description": name} for name in hypotheses}
    return json.dumps({"documents": documents, "labels": labels}, indent=1).encode()


def beir() -> list[Files]:
    """A BEIR folder, in its own formats."""
    corpus = [{"_id": f"d{number}", "title": "On" * (number % 2), "text": f"law {number}"} for number in range(6)]
    queries = [{"_id": f"q{number}", "text": f"which law {number}?"} for number in range(3)]
    judged = [{"query-id": f"q{number}", "corpus-id": f"d{number}", "score": number % 2 + 1} for number in range(3)]
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
        {"recipe.toml": _RECIPE.replace(b"jsonl", ending.encode()), f"rows.{ending}": table(PAIRS, ending)}
        for ending in ("jsonl", "parquet")
    ]


_RECIPE = b"""\
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
    lines = '[[line]]\ntag = "legal"\ngain = 0.02\n[[line]]\ntask = "stsb"\nmetric = "spearman"\nmargin = 0.005\nmin = 0.8\n'
    whole = f'margin = 0.01\ninconclusive = "fail"\nthroughput = 0.9\n{lines}'
    return [{"gate.toml": whole.encode()}, {"gate.toml": (EXAMPLE / "gate.toml").read_bytes()}]


@cache
def results() -> list[Files]:
    """Two models' records, predictions and speeds; and the same as a leaderboard with nothing beside it."""
    from compare.made import SPEARMAN, answer, pairs, right
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "results"
        for model, share in (("base", 0.5), ("mine", 0.8)):
            ranked = [["d1", "d2"]] * 12
            text = [f"question {row}" for row in range(12)]
            answer(folder, model, correct=right(share, 12), text=text, ranked_ids=ranked)
            answer(folder, model, "sts", metrics=(SPEARMAN,), **pairs(share, 12))
        found = _folder(folder)
    speeds = EXAMPLE / "throughput"
    found |= {f"throughput/{path.name}": path.read_bytes() for path in sorted(speeds.glob("*.json"))}
    board = {"leaderboard.csv": found["leaderboard.csv"]}
    kept = {name: one for name, one in found.items() if not name.startswith("leaderboard")}
    return [kept, kept, kept | board, board]


def _folder(folder: Path) -> Files:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@cache
def candidates() -> list[Files]:
    """What training writes beside a model: its lineage, and signatures of its texts."""
    import tempfile
    import tomllib

    from harness.training.lineage import LoggedLoss, Lineage, write_lineage
    from harness.training.overlap import text_hashes, write_signatures

    texts = [row[side] for row in PAIRS for side in ("text1", "text2")]
    made = Lineage(
        recipe=tomllib.loads(_RECIPE.decode()), base="nowhere", base_fingerprint="b" * 64, seed=7,
        trainer="sentence-transformers", data="rows.jsonl", data_digest="d" * 64, rows=3, texts=text_hashes(texts),
        steps=2, seconds=1.5, log=(LoggedLoss(step=1, epoch=0.5, loss=0.25, metrics={"stsb-dev": 0.5}),),
        hardware={"cores": 2}, libraries={"torch": "2"}, finished="2026-01-01T00:00:00Z", findings=("a-code",),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        write_lineage(Path(place), made)
        write_signatures(Path(place), texts)
        found = _folder(Path(place))
    return [found | models()[0], {name: one for name, one in found.items() if name.endswith(".json")}]


def cards() -> list[Files]:
    """Model cards of several losses, each with rows that would fit."""
    from plugins.cards import PAIRS as TWO
    from plugins.cards import SCORED, card_text
    from plugins.cards import TRIPLETS as THREE

    log = [(0.5, 100, 0.5, 0.7), (1.0, 200, 0.25, 0.75), (2.0, 400, None, 0.8)]
    triplet = json.dumps({"distance_metric": "TripletDistanceMetric.COSINE", "triplet_margin": 0.3})
    inner = json.dumps({"loss": "MultipleNegativesRankingLoss", "matryoshka_dims": [32, 16], "matryoshka_weights": [1, 1]})
    texts = [
        card_text(columns=SCORED, log=log, claims=[("spearman_cosine", 0.8), ("pearson_cosine", 0.79)]),
        card_text(columns=THREE, loss="TripletLoss", parameters=triplet, log=log, best=True),
        card_text(columns=TWO, loss="MatryoshkaLoss", parameters=inner, normalize=False),
    ]
    shown = "| sentence_0 | sentence_1 | label |\n|:--|:--|:--|\n| <code>a</code> | <code>b</code> | <code>0.5</code> |\n"
    usage = '\n## Usage\n```python\nsentences = ["a", "b"]\n# tensor([[1.0, 0.5],\n#         [0.5, 1.0]])\n```\n'
    texts.append(texts[0].replace("* Loss:", f"* Samples:\n{shown}* Loss:", 1) + usage)
    named = [{"sentence_0": row["text1"], "sentence_1": row["text2"], "label": row["score"]} for row in PAIRS]
    return [{"card.md": text.encode(), "rows.csv": table(named, "csv")} for text in texts]


def models() -> list[Files]:
    """A model folder in small: its files by their names, with weights of a few bytes."""
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {"idx": place, "name": str(place), "path": f"{place}_{kind}" * bool(place), "type": f"sentence_transformers.models.{kind}"}
        for place, kind in enumerate(kinds)
    ]
    contents = {
        "modules.json": modules,
        "config.json": {"model_type": "bert", "hidden_size": 4, "vocab_size": 3, "architectures": ["BertModel"]},
        "config_sentence_transformers.json": {"prompts": {"query": "q: "}, "similarity_fn_name": "cosine"},
        "sentence_bert_config.json": {"max_seq_length": 64, "do_lower_case": False},
        "tokenizer_config.json": {"model_max_length": 64, "tokenizer_class": "BertTokenizer"},
        "tokenizer.json": {"version": "1.0", "model": {"type": "WordPiece", "vocab": {"a": 0}}},
        "1_Pooling/config.json": {"word_embedding_dimension": 4, "pooling_mode_mean_tokens": True},
    }
    found: Files = {name: json.dumps(content).encode() for name, content in contents.items()}
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    weights = len(header).to_bytes(8, "little") + header + bytes(16)
    router = {"types": {"a": "sentence_transformers.models.Transformer"}, "structure": {"query": ["a"]}}
    found |= {"model.safetensors": weights, "vocab.txt": b"a\nb\n", "2_Normalize": None}
    return [found, {**found, "router_config.json": json.dumps(router).encode()}]


@cache
def real_models() -> list[Files]:
    """A tiny model that loads, with its real tokenizer and weights; building it imports torch."""
    import tempfile

    from conftest import build_model

    with tempfile.TemporaryDirectory() as place:
        return [_folder(build_model(Path(place) / "tiny"))]


STORE = {"fingerprint": "f" * 64, "role": "text", "dimensions": 4}


@cache
def caches() -> list[Files]:
    """A store of two segments."""
    import tempfile

    import numpy as np

    from harness.embedding_cache import EmbeddingCache, Store

    with tempfile.TemporaryDirectory() as place:
        store = Store(EmbeddingCache(Path(place), print), STORE)
        for texts in (["a", "b"], ["b", "c", "d"]):
            store.write(texts, [np.arange(4 * len(texts), dtype=np.float32).reshape(-1, 4)])
        found = _folder(Path(place))
    # Their names hold the time at which they were written.
    named = {name: f"{number:016x}-0000000{number}.safetensors" for number, name in enumerate(sorted(found))}
    return [
        {name if name.endswith(".json") else f"{name.rpartition('/')[0]}/{named[name]}": one for name, one in found.items()}
    ]


def benches() -> list[Files]:
    """A bench of one variant."""
    from harness.bench.records import Bench, Machine, Memory, Start, Threads, VariantResult
    from harness.interfaces import ModelFacts, Settings
    from harness.results import encode

    variant = VariantResult(
        label="a", model="a", fingerprint="f" * 64, settings=Settings(),
        facts=ModelFacts(dimensions=4, similarity="cosine"), threads=Threads(workers=1, per_worker=2),
        start=Start(process=1.0, imports=2.0, load=0.5, first_encode=0.1), memory=Memory(loaded=1, peak=2),
    )  # fmt: skip
    bench = Bench(
        started="2026-01-01T00:00:00+00:00", machine=Machine(fingerprint="m" * 64, processor="P", cores=2, system="L"),
        libraries={"torch": "2"}, margin=0.02, budget=60.0, seconds=12.5, variants=(variant,),
    )  # fmt: skip
    return [{"bench.json": encode(bench)}]


def workloads() -> list[Files]:
    """A file with one text a line, and a plain text."""
    return [{"texts.txt": "one\ntwo words\n\ndrei Wörter hier\n".encode()}]


def words() -> list[Files]:
    """Words on the command line, as a list; the first is the command."""
    said = (
        "run --model base=lexical --model ./model --tasks sts,legal --exclude stsb-dev --limit 9 --prompt query=q:",
        "run --model lexical --tasks stsb --threads 2x1 --dtype float32 --max-seq-length 64 --truncate-dim 8 --no-cache",
        "train --recipe sts-cosine --base ./model --set train.epochs=1 --column text1=left --seeds 1,2 --out out",
        "train --from-card card.md --data rows.csv --set loss.scale=20.0 --set data.columns.text1=a --out out",
        "check rows.csv --kind scored-pairs --column text1=left --tasks stsb --allow a-code,b --base ./model",
        "bench --model lexical --workload sts:64,short --dtype float32,bfloat16 --threads 2 --budget 5 --margin 0.1",
        "compare results --baseline base --candidate mine --margin 0.01 --metrics spearman --allow digest --tasks sts",
    )
    files = {"card.md": cards()[0]["card.md"], "rows.csv": cards()[0]["rows.csv"]}
    return [{"words.json": json.dumps(line.split(" ")).encode(), **files} for line in said]


if str(ROOT / "tests") not in sys.path:  # what pytest does for its own
    sys.path.append(str(ROOT / "tests"))
