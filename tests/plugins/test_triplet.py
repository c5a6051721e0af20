"""Triplets: scores equal those of sentence-transformers' evaluator; degenerate triplets are findings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import LetterModel
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import TripletEvaluator

from harness import DataSource, HarnessError, Role, Severity, load_model
from harness.authoring import TaskDefinition
from harness.evaluation.evaluate import evaluate
from harness_triplet.tasks import COLUMNS, TRIPLET_KIND, triplet_tasks

pytestmark = pytest.mark.kernels

TASKS = {task.name: task for task in triplet_tasks()}
PENAL = TASKS["penal-triplets"]
SAMPLE = DataSource("sample", PENAL.sample)
NOWHERE = DataSource("sample", None)


def user_task(path: Path, **options):
    return TRIPLET_KIND.build(TaskDefinition(name="mine", kind="triplet", path=path, **options))


def written(path: Path, *rows, columns=COLUMNS) -> Path:
    path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
    return path


def scores(evaluation):
    return {score.metric: score.score for score in evaluation.scores}


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean", "manhattan"])
def test_accuracy_equals_the_evaluator_of_sentence_transformers(tiny, tmp_path, similarity):
    reference = SentenceTransformer(str(tiny), device="cpu", similarity_fn_name=similarity)
    reference.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    dataset = PENAL.load(SAMPLE)
    expected = TripletEvaluator(*(list(dataset[column]) for column in COLUMNS))(reference)
    evaluation, _ = evaluate(load_model(str(tmp_path / "model")), PENAL, SAMPLE)
    assert scores(evaluation)["accuracy"] == pytest.approx(expected[f"{similarity}_accuracy"], abs=1e-6)


def test_similarities_and_margins_are_the_models_own(letters, tmp_path):
    path = written(tmp_path / "t.jsonl", ("ab", "ab", "a"), ("ab", "c", "ab"), ("aab", "a", "b"))
    evaluation, predictions = evaluate(letters, user_task(path), NOWHERE)
    half, fifth = 2**-0.5, 5**-0.5
    assert predictions["positive_similarity"] == pytest.approx([1, 0, 2 * fifth])
    assert predictions["negative_similarity"] == pytest.approx([half, 1, fifth])
    assert predictions["margin"] == pytest.approx([1 - half, -1, fifth])
    assert list(predictions["correct"]) == [1, 0, 1]
    assert scores(evaluation) == pytest.approx({"accuracy": 2 / 3, "mean_margin": (fifth - half) / 3})
    assert evaluation.scores[0].metric == "accuracy"


def test_a_tie_is_wrong(letters, tmp_path):
    path = written(tmp_path / "t.jsonl", ("ab", "ab", "ba"), ("ab", "c", "d"))
    _, predictions = evaluate(letters, user_task(path), NOWHERE)
    assert list(predictions["correct"]) == [0, 0]
    assert list(predictions["margin"]) == [0, 0]


WORD = st.text("abcd", max_size=4)


@settings(deadline=None)
@given(st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=8))
def test_swapping_positives_and_negatives_negates_every_margin(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("swapped")
    swapped = [(anchor, negative, positive) for anchor, positive, negative in rows]
    tasks = [user_task(written(folder / f"{n}.jsonl", *side)) for n, side in enumerate((rows, swapped))]
    original, reversed_ = (task.predict(LetterModel(), task.load(NOWHERE)) for task in tasks)
    assert list(original["margin"]) == list(-np.asarray(reversed_["margin"]))
    # Both right is impossible; both wrong is a tie.
    both = np.asarray(original["correct"]) + np.asarray(reversed_["correct"])
    assert [value == 0 for value in both] == [margin == 0 for margin in original["margin"]]


def test_triplets_that_share_an_anchor_are_one_cluster(tmp_path):
    rows = [("x", "p", "n"), ("y", "p", "n"), ("x", "q", "n")]
    clusters = user_task(written(tmp_path / "t.jsonl", *rows)).load(NOWHERE)["cluster"]
    assert clusters[0] == clusters[2] != clusters[1]


def test_the_files_own_clusters_and_ids_are_kept(tmp_path):
    rows = [("x", "p", "n", 7, "case 1"), ("y", "p", "n", 8, "case 1")]
    path = written(tmp_path / "t.jsonl", *rows, columns=(*COLUMNS, "id", "case"))
    dataset = user_task(path, columns={"cluster": "case"}).load(NOWHERE)
    assert dataset["cluster"] == ["case 1", "case 1"]
    assert dataset["id"] == ["7", "8"]


def test_everything_that_is_encoded_is_announced_as_plain_text(letters):
    dataset = PENAL.load(SAMPLE)
    PENAL.predict(letters, dataset)
    assert set(letters.encoded) == set(PENAL.texts(dataset))
    assert {role for _, role in letters.encoded} == {Role.TEXT}


def test_degenerate_triplets_are_found_counted_and_kept(letters, tmp_path):
    rows = [("x", "x", "n"), ("x", "x", "m"), ("y", "p", "y"), ("z", "p", "p"), ("z", "p", "n")]
    dataset = user_task(written(tmp_path / "t.jsonl", *rows)).load(NOWHERE)
    assert len(dataset) == 5
    found = {finding.code: (finding.severity, finding.evidence.split(":")[0]) for finding in dataset.findings}
    assert found == {
        "positive-is-anchor": (Severity.NOTE, "2 of 5 triplets have their anchor as positive"),
        "negative-is-anchor": (Severity.WARNING, "1 of 5 triplets have their anchor as negative"),
        "positive-is-negative": (Severity.WARNING, "1 of 5 triplets have their negative as positive"),
    }


def test_a_valid_file_has_no_findings():
    assert PENAL.load(SAMPLE).findings == ()


def test_a_task_file_maps_columns_and_renders_records(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("facts,title,body,wrong\nf1,T,b1,n1\nf2,U,b2,n2\n")
    task = user_task(
        path,
        columns={"anchor": "facts", "negative": "wrong"},
        templates={"positive": "{title} — {body}"},
        tags=frozenset({"mine"}),
    )
    dataset = task.load(NOWHERE)
    assert dataset["anchor"] == ["f1", "f2"]
    assert dataset["positive"] == ["T — b1", "U — b2"]
    assert dataset["negative"] == ["n1", "n2"]
    assert task.tags == {"mine", "triplets"}


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet"])
def test_every_format_gives_the_same_triplets(tmp_path, ending):
    import pandas as pd

    table = pd.DataFrame({"anchor": ["a, b"], "positive": ["p\nq"], "negative": ["é"]})
    path = tmp_path / f"t.{ending}"
    write = {
        "csv": lambda: table.to_csv(path, index=False),
        "tsv": lambda: table.to_csv(path, index=False, sep="\t"),
        "jsonl": lambda: table.to_json(path, orient="records", lines=True),
        "json": lambda: table.to_json(path, orient="records"),
        "parquet": lambda: table.to_parquet(path),
    }
    write[ending]()
    dataset = user_task(path).load(NOWHERE)
    assert [dataset[column] for column in COLUMNS] == [["a, b"], ["p\nq"], ["é"]]


def test_a_wrong_column_names_what_was_found_and_needed(tmp_path):
    path = written(tmp_path / "t.jsonl", ("a", "b", "c"), columns=("anchor", "pos", "negative"))
    with pytest.raises(HarnessError, match="no column 'positive'") as error:
        user_task(path).load(NOWHERE)
    assert "found: anchor, pos, negative" in str(error.value)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"columns": {"anker": "facts"}}, "no column .* 'anker'", id="column"),
        pytest.param({"templates": {"id": "{a}"}}, "no template .* 'id'", id="template"),
        pytest.param({"options": {"splits": "dev"}}, "no option .* 'splits'\n.*mean: split", id="option"),
    ],
)
def test_a_definition_with_an_unknown_column_template_or_option_is_an_error(tmp_path, options, complaint):
    with pytest.raises(HarnessError, match=complaint):
        user_task(tmp_path / "t.jsonl", **options)


def test_a_text_that_is_missing_is_an_error_with_its_row(tmp_path):
    path = written(tmp_path / "t.jsonl", ("a", "b", "c"), ("a", None, "c"))
    with pytest.raises(HarnessError, match=r"t\.jsonl: row 2 has no positive\n.*missing = .drop."):
        user_task(path).load(NOWHERE)


def test_tasks_tags_and_samples():
    assert {name for name, task in TASKS.items() if "legal" in task.tags} == {
        "penal-triplets",
        "aila-triplets",
        "aila-triplets-hard",
    }
    assert all("triplets" in task.tags for task in TASKS.values())
    assert [name for name, task in TASKS.items() if task.sample] == ["penal-triplets"]
    assert TASKS["snli-triplets"].splits.evaluated == "dev"


def test_the_real_files_are_read_whole(shared_data):
    read = {name: task.load(DataSource("files", shared_data)) for name, task in TASKS.items()}
    assert {name: (len(rows), len(set(rows["cluster"]))) for name, rows in read.items()} == {
        "penal-triplets": (149, 149),
        "aila-triplets": (217, 50),
        "aila-triplets-hard": (217, 50),
        "snli-triplets": (2954, 2943),
    }
    assert [finding.code for finding in read["snli-triplets"].findings] == ["positive-is-anchor"]


def test_the_csv_is_read_if_the_jsonl_is_missing(shared_data, tmp_path):
    folder = tmp_path / "legal-triplets"
    folder.mkdir()
    (folder / "ipc-illustrations.csv").write_bytes(
        (shared_data / "legal-triplets" / "ipc-illustrations.csv").read_bytes()
    )
    by_csv, by_jsonl = (PENAL.load(DataSource("files", root)) for root in (tmp_path, shared_data))
    assert by_csv.digest == by_jsonl.digest


def test_the_sample_has_at_least_the_promised_size():
    assert len(PENAL.load(SAMPLE)) >= 120


def test_the_base_model_beats_the_lexical_floor_on_the_sample(minilm):
    (neural, _), (lexical, _) = (evaluate(model, PENAL, SAMPLE) for model in (minilm, load_model("lexical")))
    assert lexical.scores[0].high < neural.scores[0].low
    assert neural.scores[0].high < 1
