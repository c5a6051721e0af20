"""What mutation starts from, as the harness and its libraries write it: results, cards, models."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzing.seeds import EXAMPLE, PAIRS, RECIPE, ROOT, table

if TYPE_CHECKING:
    from fuzzing.mutators import Files

if str(ROOT / "tests") not in sys.path:  # what pytest does for its own
    sys.path.append(str(ROOT / "tests"))


@cache
def results() -> list[Files]:
    """Two models' records, predictions and speeds; and the same as a leaderboard with nothing beside it."""
    from comparison.made import SPEARMAN, answer, pairs, right

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


def journals() -> list[Files]:
    """A results folder with the journal of a run, which asked for what is there and for what is not."""
    from harness.evaluation.journal import RequestedModel, RequestedTask, RunRequest
    from harness.models.interface import ModelSpec
    from harness.results.folder import encode

    models = [
        RequestedModel(spec=ModelSpec("lexical", "", name), name=name, fingerprint="f" * 64)
        for name in ("mine", "lexical")
    ]
    plan = RunRequest(
        folder="/",
        models=tuple(models),
        tasks=tuple(RequestedTask(name=name, by_name=True) for name in ("stsb", "sts")),
        plugins=("plugin.py",),
        data="/nowhere",
        limit=20,
    )
    words = ("harness", "run", "--model", "mine=lexical", "--tasks", "stsb,sts", "--out", "out")
    journal = {
        "started": "2026-01-01T00:00:00+00:00", "command": words, "state": "running",
        "process": "0-0-1", "plan": asdict(plan), "threads": {},
    }  # fmt: skip
    kept = results()[0]
    sample = encode({**journal, "state": "finished", "plan": {**asdict(plan), "data": None}})
    return [
        kept | {"runs/1.json": encode(journal)},
        kept | {"runs/1.json": encode(journal), "runs/2.json": sample},
    ]


def _folder(folder: Path) -> Files:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@cache
def candidates() -> list[Files]:
    """What training writes beside a model: its lineage, and signatures of its texts."""
    import tomllib

    from harness.training.lineage import Lineage, LoggedLoss, write_lineage
    from harness.training.near_duplicates import text_hashes, write_signatures

    texts = [row[side] for row in PAIRS for side in ("text1", "text2")]
    made = Lineage(
        recipe=tomllib.loads(RECIPE.decode()), base="nowhere", base_fingerprint="b" * 64, seed=7,
        trainer="sentence-transformers", data="rows.jsonl", data_digest="d" * 64, rows=3,
        texts=text_hashes(texts), steps=2, seconds=1.5,
        log=(LoggedLoss(step=1, epoch=0.5, loss=0.25, metrics={"stsb-dev": 0.5}),),
        hardware={"cores": 2}, libraries={"torch": "2"}, finished="2026-01-01T00:00:00Z",
        findings=("a-code",),
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
    inner = json.dumps(
        {"loss": "MultipleNegativesRankingLoss", "matryoshka_dims": [32, 16], "matryoshka_weights": [1, 1]}
    )
    texts = [
        card_text(columns=SCORED, log=log, claims=[("spearman_cosine", 0.8), ("pearson_cosine", 0.79)]),
        card_text(columns=THREE, loss="TripletLoss", parameters=triplet, log=log, best=True),
        card_text(columns=TWO, loss="MatryoshkaLoss", parameters=inner, normalize=False),
    ]
    shown = "| sentence_0 | sentence_1 | label |\n|:--|:--|:--|\n"
    shown += "| <code>a</code> | <code>b</code> | <code>0.5</code> |\n"
    usage = (
        '\n## Usage\n```python\nsentences = ["a", "b"]\n# tensor([[1.0, 0.5],\n#         [0.5, 1.0]])\n```\n'
    )
    texts.append(texts[0].replace("* Loss:", f"* Samples:\n{shown}* Loss:", 1) + usage)
    named = [{"sentence_0": row["text1"], "sentence_1": row["text2"], "label": row["score"]} for row in PAIRS]
    return [{"card.md": text.encode(), "rows.csv": table(named, "csv")} for text in texts]


def models() -> list[Files]:
    """A model folder in small: its files by their names, with weights of a few bytes."""
    kinds = ("Transformer", "Pooling", "Normalize")
    modules = [
        {
            "idx": place,
            "name": str(place),
            "path": f"{place}_{kind}" * bool(place),
            "type": f"sentence_transformers.models.{kind}",
        }
        for place, kind in enumerate(kinds)
    ]
    contents = {
        "modules.json": modules,
        "config.json": {
            "model_type": "bert",
            "hidden_size": 4,
            "vocab_size": 3,
            "architectures": ["BertModel"],
        },
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
    from conftest import build_model

    with tempfile.TemporaryDirectory() as place:
        return [_folder(build_model(Path(place) / "tiny"))]


STORE = {"fingerprint": "f" * 64, "role": "text", "dimensions": 4}


@cache
def caches() -> list[Files]:
    """A store of two segments."""
    import numpy as np

    from harness.encoding.cache import CacheStore, EmbeddingCache

    with tempfile.TemporaryDirectory() as place:
        store = CacheStore(EmbeddingCache(Path(place), print), STORE)
        for texts in (["a", "b"], ["b", "c", "d"]):
            store.write(texts, [np.arange(4 * len(texts), dtype=np.float32).reshape(-1, 4)])
        found = _folder(Path(place))
    # Their names hold the time at which they were written.
    named = {name: f"{number:016x}-0000000{number}.safetensors" for number, name in enumerate(sorted(found))}
    return [
        {
            name if name.endswith(".json") else f"{name.rpartition('/')[0]}/{named[name]}": one
            for name, one in found.items()
        }
    ]


def benches() -> list[Files]:
    """A bench of one variant without a speed, and the same with one."""
    from bench.cost.made import bench, variant

    from harness.results.folder import encode

    return [{"bench.json": encode(each)} for each in (bench(variant(workloads=())), bench())]
