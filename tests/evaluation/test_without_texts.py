"""Texts are recognized in what is written, and what is not a text stays."""

from __future__ import annotations

import traceback

import numpy as np
import pytest
from conftest import LetterModel, evaluated

from harness import Dataset, Finding, HarnessError, Predictions, Role, Severity, mean_metric
from harness.encoding.validate import encode_checked
from harness.errors import MissingDataError
from harness.evaluation.evaluate import LoadedTask
from harness.evaluation.without_texts import (
    WITHHELD,
    cover_findings,
    frames_only,
    withheld_reason,
    withheld_trace,
    without_texts,
)
from harness.metrics.standard import MACRO_F1
from harness.results.prediction_files import holds_texts, read_predictions, to_parquet
from harness.results.records import content_hash
from harness.tasks.interface import Task

TEXTS = ["the party of the first part", "don't disclose it's item", "short", "a tie of two words"]


class Answering(Task):
    """A task that answers with given columns."""

    name, kind = "answering", "any"

    def __init__(self, *metrics):
        self.metrics = metrics or (mean_metric("accuracy", "correct"),)

    def load(self, source):
        raise NotImplementedError

    def predict(self, model, dataset):
        raise NotImplementedError


def kept(dataset, task=None, **answers) -> Predictions:
    """Return predictions of a dataset without its texts."""
    task = task or Answering()
    predictions = Predictions(dataset, correct=[1.0] * len(dataset), **answers)
    found = evaluated(predictions=content_hash(predictions))
    evaluation, bare = without_texts(found, predictions, LoadedTask(task, found.examination, dataset))
    assert evaluation.no_texts
    assert evaluation.predictions == content_hash(bare)
    assert bare.columns is not predictions.columns
    return bare


# --- columns ----------------------------------------------------------------------------------------------


def test_columns_of_texts_are_left_out_and_the_content_hash_stays():
    dataset = Dataset({"text": TEXTS, "other": TEXTS[::-1], "id": ["q1", "q2", "q3", "q4"]})
    whole = Predictions(dataset, correct=[1.0] * 4)
    bare = kept(dataset)
    assert set(bare.columns) == {"id", "correct"}
    assert set(bare.kept_out.columns) == {"text", "other"}
    assert content_hash(bare) == content_hash(whole)


def test_a_changed_text_changes_the_content_hash_of_predictions_without_it():
    ids = ["q1", "q2", "q3", "q4"]
    changed = kept(Dataset({"text": ["another text", *TEXTS[1:]], "id": ids}))
    assert content_hash(changed) != content_hash(kept(Dataset({"text": TEXTS, "id": ids})))


def test_a_file_says_what_was_kept_out_and_is_read_with_the_same_hash(tmp_path):
    bare = kept(Dataset({"text": TEXTS, "id": TEXTS}))
    path = tmp_path / "p.parquet"
    path.write_bytes(to_parquet(bare, content_hash(bare)))
    read, footer = read_predictions(path)
    assert read.kept_out == bare.kept_out
    assert read.kept_out.covered == ("id",)
    assert content_hash(read) == footer
    assert not holds_texts(path)
    whole = Predictions(Dataset({"text": TEXTS}), correct=[1.0] * 4)
    path.write_bytes(to_parquet(whole, content_hash(whole)))
    assert holds_texts(path)


def test_keeping_texts_out_twice_changes_nothing(tmp_path):
    dataset = Dataset({"text": TEXTS, "id": ["q1", "q2", "q3", "q4"]})
    once = kept(dataset)
    found = evaluated(predictions=content_hash(once))
    _, twice = without_texts(found, once, LoadedTask(Answering(), found.examination, dataset))
    assert (twice.columns, twice.kept_out) == (once.columns, once.kept_out)


@pytest.mark.parametrize(
    ("ids", "stay"),
    [
        pytest.param(["q1", "doc 2", "§ 3", "4"], True, id="names"),
        pytest.param(["q1", "q2", "short", "q4"], False, id="one is a text"),
        pytest.param(["q1", "q2", " SHORT", "q4"], False, id="one is a text in capitals"),
        pytest.param(["q1", "q2", "q3", "any name of four words"], False, id="one is prose"),
    ],
)
def test_ids_stay_unless_they_are_texts(ids, stay):
    bare = kept(Dataset({"text": TEXTS, "id": ids, "cluster": ["c"] * 4}))
    assert (list(bare["id"]) == ids) is stay
    assert len(set(bare["id"])) == 4
    assert sum(name.startswith("#") for name in bare["id"]) == (0 if stay else 1)


def test_hashes_of_clusters_sort_as_the_clusters_do_so_that_intervals_stay():
    clusters = ["the same cluster of words", "b", "a text with four words", "b"]
    bare = kept(Dataset({"text": TEXTS, "cluster": clusters}))
    order = sorted(range(4), key=clusters.__getitem__)
    assert sorted(range(4), key=bare["cluster"].__getitem__) == order
    assert bare["cluster"][1] == bare["cluster"][3]


def test_classes_stay_and_a_metric_of_them_gives_the_same():
    gold = ["Entailment", "Contradiction", "Entailment", "Contradiction"]
    answers = ["Entailment", "Entailment", "Entailment", "Contradiction"]
    dataset = Dataset({"text": TEXTS, "label": gold})
    bare = kept(dataset, Answering(MACRO_F1), gold=gold, predicted=answers)
    assert (bare["gold"], bare["predicted"]) == (gold, answers)
    assert "label" in bare.kept_out.columns


def test_names_in_judgments_and_rankings_stay_and_texts_in_lists_become_hashes():
    corpus = Dataset({"id": ["d1", "d2"], "text": ["a whole document here", "another"]})
    qrels = Dataset({"query": ["q1", "q2"], "document": ["d1", "d2"], "score": [1.0, 1.0]})
    dataset = Dataset({"id": ["q1", "q2"], "text": ["one query", "two"]}, {"corpus": corpus, "qrels": qrels})
    bare = kept(dataset, ranked_ids=[["d1", "d2"], ["d2"]], best=[["another"], ["a whole document here"]])
    assert bare["ranked_ids"] == [["d1", "d2"], ["d2"]]
    assert all(cell[0].startswith("#") for cell in bare["best"])
    assert bare.kept_out.covered == ("best",)


def retrieval(ids, texts, bodies, ranked) -> Predictions:
    """Return predictions without texts for two queries on a corpus of which the first document is judged."""
    corpus = Dataset({"id": ids, "text": texts, "body": bodies})
    qrels = Dataset({"query": ["q1", "q2"], "document": ids[:1] * 2, "score": [1.0, 1.0]})
    queries = Dataset({"id": ["q1", "q2"], "text": ["one query", "two"]}, {"corpus": corpus, "qrels": qrels})
    return kept(queries, ranked_ids=ranked, gold_ids=[ids[:1]] * 2)


def test_ids_that_are_titles_or_texts_of_documents_become_hashes_judged_or_not():
    ids = ["Acme merges", "Stark-merges-Wonka", "a_body_of_words", "Hooli", "d5"]
    titles = ["Acme merges", "Stark merges Wonka", "A title", "Hooli", "Fifth"]
    bodies = ["of clause 0", "of clause 1", "A body of words", "of clause 3", "of clause 4"]
    texts = [f"{title} {body}" for title, body in zip(titles, bodies, strict=True)]
    bare = retrieval(ids, texts, bodies, [ids, ids[::-1]])
    assert [name.startswith("#") for name in bare["ranked_ids"][0]] == [True, True, True, True, False]
    assert bare["ranked_ids"][1] == bare["ranked_ids"][0][::-1]
    assert bare["gold_ids"][0] == bare["ranked_ids"][0][:1]


def test_an_id_that_is_a_part_of_its_documents_text_becomes_its_hash_without_a_column_of_titles():
    ids = ["Acme merges", "d2", "clause 9"]
    texts = ["Acme merges — of clause 0", "of clause 9", "of clause 1"]
    bare = retrieval(ids, texts, ["a", "b", "c"], [ids, ids])
    assert bare["ranked_ids"][0][1:] == ["d2", "clause 9"]  # the words of another row are a name here
    assert bare["ranked_ids"][0][0].startswith("#")


@pytest.mark.parametrize("column", ["id", "cluster"])
@pytest.mark.parametrize(
    "name", ["pair_the_secret_plan_of_acme_0", "x-The.Secret-Plan_of  Acme", "SECRET_PLAN", "acme"]
)
def test_a_name_that_spells_words_of_its_rows_text_becomes_its_hash(column, name):
    text = "Acme" if name == "acme" else "the secret plan of Acme."
    dataset = Dataset({"text": [text, "else"], "id": ["a1", "a2"], column: [name, "b_plan_2"]})
    bare = kept(dataset)
    assert all(word not in bare[column][0].casefold() for word in ("secret", "plan", "acme"))
    assert len(set(bare[column])) == 2
    assert bare.kept_out.covered == (column,)


def test_a_name_that_shares_one_word_with_its_rows_text_stays():
    dataset = Dataset({"text": ["the secret plan", "else 2"], "id": ["plan_1", "doc_2"]})
    assert list(kept(dataset)["id"]) == ["plan_1", "doc_2"]


def test_a_fitted_word_that_an_underscore_joins_to_another_becomes_its_hash():
    dataset = Dataset({"text": TEXTS, "id": ["q1", "q2", "q3", "q4"]})
    predictions = Predictions(dataset, correct=[1.0] * 4)
    found = evaluated(fitted={"n": ["disclose_1", "other_1"]})
    bare, _ = without_texts(found, predictions, LoadedTask(Answering(), found.examination, dataset))
    assert [word.startswith("#") for word in bare.fitted["n"]] == [True, False]


# --- sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "shown"),
    [
        ("3 of 40 rows are equal", "3 of 40 rows are equal"),
        ("the model's rows and the users' rows differ", "the model's rows and the users' rows differ"),
        (f"such as {TEXTS[0]!r} and {TEXTS[1]!r}", "such as “…” and “…”"),
        (f"such as '{TEXTS[1]}', twice", "such as “…”, twice"),
        (f"such as “{TEXTS[1]} “quoted”” here", "such as “…” here"),
        (f"row: {TEXTS[0]}", WITHHELD),
        (f"row: {TEXTS[0][:20]}", WITHHELD),
        ("a short row", WITHHELD),
    ],
)
def test_a_finding_keeps_what_it_does_not_quote(evidence, shown):
    (finding,) = cover_findings([Finding("odd", Severity.NOTE, evidence)], [TEXTS])
    assert finding.evidence == shown


# --- errors -----------------------------------------------------------------------------------------------


def caught(raising) -> BaseException:
    try:
        raising()
    except BaseException as error:  # noqa: BLE001 - any
        return error
    raise AssertionError


def test_an_error_that_cannot_quote_a_text_keeps_its_message():
    assert withheld_reason(MissingDataError("no stsb.csv in /data")) == "no stsb.csv in /data"
    told = HarnessError("x: secret", without_texts="row 3 is no number", hint="mend it")
    assert withheld_reason(told) == "row 3 is no number\n  hint: mend it"


def test_any_other_error_keeps_its_kind_place_and_row():
    def reading():
        raise HarnessError("data.csv: row 12 of column 'score' is not a number: 'secret'", exists="secret")

    reason = withheld_reason(caught(reading))
    assert reason.startswith("HarnessError in test_without_texts.py, line ")
    assert "(reading), at row 12 of the data; its message is withheld" in reason
    assert "secret" not in reason


def test_a_traceback_has_the_places_of_all_causes_and_no_message():
    def inner():
        raise KeyError("secret".upper().lower())

    def outer():
        try:
            inner()
        except KeyError as error:
            error.add_note("a note")
            raise ValueError("a message") from error

    error = caught(outer)
    trace = withheld_trace(error)
    assert "KeyError: withheld" in trace
    assert "ValueError: withheld" in trace
    assert trace.count("Traceback (most recent call last)") == 2
    assert [word for word in ("'secret'", "a note\n", ": a message") if word in trace] == []
    assert all(word in "".join(traceback.format_exception(error)) for word in ("'secret'", "a note\n"))


def test_of_a_crashed_process_only_frames_stay():
    output = (
        "working on secret\nFatal Python error: Aborted\n\n"
        "Current thread 0x00007f (most recent call first):\n"
        '  File "/a/b.py", line 3 in predict\n  File "/a/c.py", line 9, in secret text\nValueError: secret\n'
    )
    assert frames_only(output).splitlines()[:3] == [
        "Fatal Python error: Aborted",
        "Current thread 0x00007f (most recent call first):",
        '  File "/a/b.py", line 3 in predict',
    ]
    assert "secret" not in frames_only(output)


def test_a_model_that_gives_no_numbers_is_said_to_do_so_without_the_text_that_it_was_given():
    class Broken(LetterModel):
        def encode(self, texts, role=Role.TEXT):
            return super().encode(texts, role) * np.nan

    error = caught(lambda: encode_checked(Broken(), ["secret words"], Role.TEXT))
    assert "secret" in str(error)
    assert withheld_reason(error).startswith(
        "model letters returned NaN or infinite embeddings for 1 of 1 texts"
    )
    assert "secret" not in withheld_reason(error)
