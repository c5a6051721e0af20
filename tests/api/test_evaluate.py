"""`harness.evaluate`: any kind of model and task, as `harness run` scores them, and nothing left behind."""

import os
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest

import harness
from harness.results.folder import ResultsFolder
from tests.api.models import ROWS, Letters, letter_counts

PAIRS = harness.make_task("pairs", "sts", ROWS)


@pytest.fixture
def live(tiny):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(tiny), device="cpu", local_files_only=True)


def of_numpy():
    return np.random.get_state()[1].tolist()  # noqa: NPY002 - the state that users' code draws from


def scores(results):
    return {
        key: {name: score.score for name, score in result.scores.items()} for key, result in results.items()
    }


def test_names_and_tags_select_models_and_tasks_as_on_the_command_line():
    results = harness.evaluate("words=lexical", "stsb,penal-triplets")
    assert list(results) == [("words", "penal-triplets"), ("words", "stsb")]
    assert 0 < results["words", "stsb"].headline.score < 1


def test_a_live_model_has_the_scores_and_the_fingerprint_of_the_folder_that_it_saves(live, tiny, tmp_path):
    live.save(str(tmp_path / "saved"))
    results = harness.evaluate({"live": live, "saved": str(tmp_path / "saved"), "loaded from": tiny}, PAIRS)
    by_model = {model: value for (model, _), value in scores(results).items()}
    assert by_model["live"] == by_model["saved"] == by_model["loaded from"]
    prints = {model: results[model, "pairs"].record.candidate.fingerprint for model in results.models}
    assert prints["live"] == prints["saved"] == prints["loaded from"]


def test_changed_weights_and_settings_in_memory_change_the_fingerprint(live):
    before = harness.evaluate({"m": live}, PAIRS)["m", "pairs"].record.candidate.fingerprint
    live.max_seq_length = 7
    shorter = harness.evaluate({"m": live}, PAIRS)["m", "pairs"].record.candidate.fingerprint
    next(live.parameters()).data.add_(1)
    moved = harness.evaluate({"m": live}, PAIRS)["m", "pairs"].record.candidate.fingerprint
    assert len({before, shorter, moved}) == 3


def test_a_live_model_that_embeds_otherwise_than_its_saved_copy_is_refused(live):
    encode = live.encode
    live.encode = lambda texts, **options: -np.asarray(encode(texts, **options))[:, ::-1]
    with pytest.raises(harness.HarnessError, match="embeds texts otherwise than the folder that it saves"):
        harness.evaluate({"m": live}, PAIRS)
    results = harness.evaluate({"m": live.encode}, PAIRS)
    assert not results["m", "pairs"].record.candidate.facts.identified


def test_a_live_model_whose_method_for_queries_is_its_own_is_refused(tiny):
    from sentence_transformers import SentenceTransformer

    class Asymmetric(SentenceTransformer):
        def encode_query(self, texts, **options):
            return -np.asarray(self.encode(texts, **options))

    model = Asymmetric(str(tiny), device="cpu", local_files_only=True)
    with pytest.raises(harness.HarnessError, match="than the folder that it saves: encode_query"):
        harness.evaluate({"m": model}, PAIRS)


def test_settings_of_a_live_model_are_those_of_its_folder(live, tiny):
    how = {"prompts": {"text": "music: "}, "max_seq_length": 24}
    results = harness.evaluate({"live": live, "folder": tiny}, PAIRS, **how)
    by_model = {model: value for (model, _), value in scores(results).items()}
    assert by_model["live"] == by_model["folder"]
    assert live.max_seq_length == 64


def test_threads_take_turns_and_leave_a_training_model_in_training(live):
    from concurrent.futures import ThreadPoolExecutor

    live.train()
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: scores(harness.evaluate({"m": live}, PAIRS)), range(3)))
    assert found[0] == found[1] == found[2]
    assert all(module.training for module in live.modules())


def test_evaluating_leaves_random_numbers_threads_and_modes_as_they_were(live):
    import torch

    live.train()
    live[0].eval()
    modes = [module.training for module in live.modules()]
    torch.manual_seed(1)
    random.seed(1)
    before = torch.get_rng_state(), random.getstate(), of_numpy(), torch.get_num_threads()
    harness.evaluate(live, PAIRS)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), of_numpy(), torch.get_num_threads())
    assert [module.training for module in live.modules()] == modes


@pytest.mark.parametrize("model", [letter_counts, Letters(), lambda texts: letter_counts(texts).tolist()])
def test_a_function_and_an_object_that_encode_are_scored_by_what_they_return(model):
    from scipy import stats

    result = harness.evaluate({"letters": model}, PAIRS)["letters", "pairs"]
    left, right = letter_counts(ROWS["text1"]), letter_counts(ROWS["text2"])
    cosine = (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)
    assert result.scores["spearman"].score == pytest.approx(
        stats.spearmanr(cosine, ROWS["score"]).statistic, abs=1e-6
    )
    assert result.scores["pearson"].score == pytest.approx(
        stats.pearsonr(cosine, ROWS["score"]).statistic, abs=1e-6
    )


def test_an_object_with_a_method_for_queries_encodes_queries_with_it():
    rows = {"anchor": ["ab"] * 3, "positive": ["ab", "abc", "a"], "negative": ["query ab", "x", "y"]}
    task = harness.make_task("asymmetric", "triplet", rows, roles="retrieval", repeated="keep")
    result = harness.evaluate({"letters": Letters()}, task)["letters", "asymmetric"]
    assert result.predictions["negative_similarity"][0] == pytest.approx(1.0)


def test_a_tensor_and_a_list_of_tensors_are_embeddings_too():
    import torch

    whole = harness.evaluate({"m": lambda texts: torch.tensor(letter_counts(texts))}, PAIRS)
    rows = harness.evaluate({"m": lambda texts: list(torch.tensor(letter_counts(texts)))}, PAIRS)
    assert scores(whole) == scores(rows)


def test_a_function_is_resumed_only_under_a_revision_that_its_user_declares(tmp_path):
    calls = []

    def encode(texts):
        calls.append(len(texts))
        return letter_counts(texts)

    for revision, computed in ((None, True), (None, True), ("v1", True), ("v1", False), ("v2", True)):
        calls.clear()
        harness.evaluate({"letters": encode}, PAIRS, out=tmp_path / "out", revision=revision)
        assert (sum(calls) > 1) is computed


def test_a_function_decides_no_gate_without_a_revision():
    results = harness.evaluate({"a": letter_counts, "b": Letters()}, PAIRS)
    assert results.compare("a", "b", margin=0.5).exit_code == 4
    declared = harness.evaluate({"a": letter_counts, "b": letter_counts}, PAIRS, revision="1")
    assert len(declared) == 2


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda texts: np.zeros(len(texts)), r"shape \(1,\) for 1 text of a first trial"),
        (lambda texts: np.zeros((len(texts) + 1, 3)), r"shape \(2, 3\) for 1 text of a first trial"),
        (lambda texts: ["not a number"] * len(texts), "returned what is not numbers"),
        (lambda texts: letter_counts(texts) + 1j, "cells of type complex128"),
        (lambda texts: np.ma.masked_less(letter_counts(texts), 1), "a masked array"),
        (lambda texts: np.full((len(texts), 3), np.nan), "NaN"),
    ],
)
def test_what_a_function_returns_in_vain_is_said(returned, message):
    with pytest.raises(harness.HarnessError, match=message):
        harness.evaluate({"m": returned}, PAIRS)


def test_an_exception_of_a_function_names_the_model_and_the_task():
    def encode(texts):
        raise ValueError("no such server")

    with pytest.raises(harness.HarnessError, match=r"m on pairs: ValueError: no such server") as caught:
        harness.evaluate({"m": encode}, PAIRS)
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_loaded_model_is_a_model_under_any_name(tiny):
    loaded = harness.load_model(tiny, truncate_dim=8)
    results = harness.evaluate({"short": loaded, "full": harness.load_model(tiny)}, PAIRS)
    named = harness.evaluate({"short": f"{tiny},truncate_dim=8", "full": tiny}, PAIRS)
    assert scores(results) == scores(named)
    assert loaded.name != "short"


def test_without_out_nothing_is_written_and_the_results_outlive_the_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    results = harness.evaluate("lexical", PAIRS)
    assert not list(tmp_path.iterdir())
    assert len(results["lexical", "pairs"].predictions) == len(ROWS["score"])
    folder = results.folder
    del results
    assert not folder.exists()


def test_out_is_the_folder_that_harness_run_writes_and_resumes(tmp_path):
    out = tmp_path / "out"
    first = harness.evaluate("lexical", "stsb", out=out)
    written = (out / "leaderboard.csv").read_bytes()
    again = harness.evaluate("lexical", "stsb", out=out)
    assert scores(first) == scores(again)
    assert (out / "leaderboard.csv").read_bytes() == written
    assert len(list((out / "runs").iterdir())) == 2


def test_temporary_folders_of_live_models_are_removed(live, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    results = harness.evaluate(live, PAIRS)
    assert list(tmp_path.iterdir()) == [results.folder]


def test_settings_hold_for_all_models_and_their_own_win(tiny):
    results = harness.evaluate({"a": tiny, "b": f"{tiny},truncate_dim=4"}, PAIRS, truncate_dim=8)
    dimensions = {
        model: results[model, "pairs"].record.candidate.facts.dimensions for model in results.models
    }
    assert dimensions == {"a": 8, "b": 4}


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nowhere/at/all", "stsb"), {}, "no model folder nowhere/at/all"),
        (("lexical", "stbs"), {}, "no task or tag named 'stbs'"),
        (("lexical", 3), {}, "int is not a task"),
        (("lexical", "stsb"), {"limit": 2.5}, "limit must be a whole number from 1, not 2.5"),
        (("lexical", "stsb"), {"out": ""}, "out must be a path, not an empty path"),
        (("lexical", "stsb"), {"data": 3}, "data must be a path, not int"),
        (({"\ud800": "lexical"}, "stsb"), {}, "a model cannot have the name"),
        ((3, "stsb"), {}, "int is not a model"),
        (({"a=b": "lexical"}, "stsb"), {}, "a model cannot have the name 'a=b'"),
        (([], "stsb"), {}, "no model"),
        (("lexical", "stsb"), {"data": "nowhere"}, "no data folder nowhere"),
        (("lexical", "stsb"), {"limit": 0}, "limit must be a whole number from 1, not 0"),
        (("lexical", "stsb"), {"truncate_dims": 3}, "no setting of a model named 'truncate_dims'"),
        (("lexical", "stsb"), {"truncate_dim": "8"}, "settings of a model: Expected `int"),
        (("lexical", "stsb"), {"dtype": "float64"}, "no dtype named 'float64'"),
        ((letter_counts, "stsb"), {"dtype": "bfloat16"}, "function model does not support --dtype"),
        (("lexical", [PAIRS, PAIRS]), {}, "two tasks are named pairs"),
        (({"a": "lexical", "b": "lexical"}, PAIRS), {"plugins": ["none.py"]}, "none.py"),
    ],
)
def test_what_cannot_be_evaluated_is_said_before_anything_is(arguments, options, message):
    with pytest.raises(harness.HarnessError, match=message):
        harness.evaluate(*arguments, **options)


def test_a_failure_raises_unless_the_rest_is_wanted(tmp_path):
    class Broken(harness.Task):
        name, kind, metrics = "broken", "broken", (harness.SPEARMAN,)

        def load(self, source):
            return harness.Dataset({"text": ["a", "b"]})

        def predict(self, model, dataset):
            raise RuntimeError("out of luck")

    with pytest.raises(harness.HarnessError, match="lexical on broken: RuntimeError: out of luck"):
        harness.evaluate("lexical", [Broken(), PAIRS])
    results = harness.evaluate("lexical", [Broken(), PAIRS], keep_going=True)
    assert results.failed == {("lexical", "broken"): "RuntimeError: out of luck"}
    with pytest.raises(harness.HarnessError, match="has no score on broken"):
        _ = results["lexical", "broken"].headline
    assert results["lexical", "pairs"].error is None


def test_embeddings_are_cached_where_that_is_asked_for(live, tmp_path):
    cold = harness.evaluate(live, PAIRS, cache=tmp_path / "cache")
    warm = harness.evaluate(live, PAIRS, cache=tmp_path / "cache")
    assert any((tmp_path / "cache").rglob("*"))
    assert scores(cold) == scores(warm)


def test_the_journal_of_a_live_model_names_no_temporary_folder(live, tmp_path):
    harness.evaluate({"mine": live}, PAIRS, out=tmp_path / "out")
    (journal,) = (tmp_path / "out" / "runs").iterdir()
    assert tempfile.gettempdir() + os.sep + "harness-live" not in journal.read_text()
    assert ResultsFolder(Path(tmp_path / "out")).evaluations()[0].candidate.model == "mine"


CELL = """
import harness

class Typed(harness.Task):
    name, kind, metrics = "typed", "typed", (harness.mean_metric("length"),)

    def load(self, source):
        return harness.Dataset({"text": [word * 3 for word in "abcdefghijkl"]})

    def predict(self, model, dataset):
        return harness.Predictions(dataset, length=[1.0 * len(text) for text in dataset["text"]])
"""


def test_a_task_that_was_typed_in_a_notebook_is_scored_again_when_its_cell_changes(tmp_path):
    def run(cell):
        names = {"__name__": "__main__"}
        exec(compile(cell, "<ipython-input-3>", "exec"), names)
        results = harness.evaluate("lexical", names["Typed"](), out=tmp_path / "out")
        return results["lexical", "typed"].headline.score

    assert run(CELL) == 3.0
    assert run(CELL) == 3.0
    assert run(CELL.replace("1.0 *", "2.0 *")) == 6.0


def test_an_executor_and_workers_are_checked_before_anything_is_done():
    with pytest.raises(harness.HarnessError, match="no executor named 'proceses'"):
        harness.evaluate("lexical", "stsb", executor="proceses")
    with pytest.raises(harness.HarnessError, match="workers is of no use without an executor"):
        harness.evaluate("lexical", "stsb", workers=2)
    with pytest.raises(harness.HarnessError, match="nothing is timed with executor processes"):
        harness.evaluate("lexical", "stsb", executor="processes", throughput=True)


@pytest.mark.slow
def test_workers_give_what_this_process_gives_and_refuse_a_model_in_memory(tiny):
    here = harness.evaluate(str(tiny), "stsb")
    there = harness.evaluate(str(tiny), "stsb", executor="processes", workers=2)
    assert scores(there) == scores(here)
    with pytest.raises(harness.HarnessError, match="is in the memory of this process: no worker can load it"):
        harness.evaluate({"live": lambda texts: np.ones((len(texts), 2))}, "stsb", executor="processes")
