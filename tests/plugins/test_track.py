"""MLflow and Weights & Biases get the results of a run; the real libraries, without a network."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

import harness
from harness.cli import cli
from harness.plugins.loader import load_plugins
from tests.api.models import ROWS

PAIRS = harness.make_task("pairs@1", "sts", ROWS)
ours = pytest.mark.skipif(
    "track" not in [info.name for info in load_plugins().infos],
    reason="the installed harness has no trackers yet",
)
pytestmark = [ours, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    """The library, with a store in a file."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.chdir(tmp_path)
    library = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    # The experiment of another test is not in this store.
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID", raising=False)
    return library


def runs(mlflow, experiment="harness"):
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(experiment)
    return client, client.search_runs([found.experiment_id], order_by=["start_time ASC"])


@pytest.mark.slow
def test_mlflow_has_a_run_for_each_model_with_scores_parameters_and_leaderboard(mlflow):
    results = harness.evaluate({"a": "lexical", "b": "lexical,precision=int8"}, PAIRS, track="mlflow")
    client, found = runs(mlflow)
    assert {run.info.run_name for run in found} == {"a", "b"}
    for run in found:
        score = results[run.info.run_name, "pairs@1"].headline
        assert run.data.metrics["pairs_at_1/spearman"] == score.score
        assert run.data.metrics["pairs_at_1/spearman_high"] == score.high
        assert run.data.params["fingerprint"] == run.data.tags["harness.fingerprint"]
        assert run.info.status == "FINISHED"
        assert "leaderboard.csv" in [artifact.path for artifact in client.list_artifacts(run.info.run_id)]
    precisions = {run.info.run_name: run.data.params["settings.precision"] for run in found}
    assert precisions == {"a": "float32", "b": "int8"}


def test_mlflow_files_a_failed_model_as_failed_below_the_active_run(mlflow, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")

    def broken(texts):
        raise ValueError("no such layer")

    mlflow.set_experiment("mine")
    with mlflow.start_run() as active:
        harness.evaluate({"a": broken}, PAIRS, track="mlflow", keep_going=True)
        assert mlflow.active_run().info.run_id == active.info.run_id
    _, found = runs(mlflow, "mine")
    (run,) = [run for run in found if run.info.run_name == "a"]
    assert run.info.status == "FAILED"
    assert run.data.tags["mlflow.parentRunId"] == active.info.run_id
    assert "no such layer" in run.data.params["pairs_at_1/error"]


def test_a_store_that_mlflow_cannot_open_is_said_before_anything_is_encoded(mlflow, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://nowhere")
    with pytest.raises(harness.HarnessError, match="tracker mlflow cannot open its store"):
        harness.evaluate("lexical", PAIRS, track="mlflow")


def test_a_server_that_is_off_costs_nothing_but_a_problem(mlflow, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.warns(UserWarning, match="PROBLEM tracker mlflow has not got all results"):
        results = harness.evaluate("lexical", PAIRS, track="mlflow")
    assert results["lexical", "pairs@1"].headline.score is not None


@pytest.mark.slow
def test_mlflow_keeps_runs_in_sqlite_where_nothing_is_set(mlflow, monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    harness.evaluate("lexical", PAIRS, track="mlflow")
    assert (tmp_path / "mlflow.db").is_file()
    assert len(runs(mlflow)[1]) == 1


@pytest.mark.slow
def test_wandb_writes_a_run_offline_without_command_line_and_secrets(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="needs the extra `wandb`")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("SERVICE_API_KEY", "verysecretvalue")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["harness", "--secret-of-the-command-line"])
    answer = CliRunner().invoke(
        cli,
        ["run", "--model", "verysecretvalue=lexical", "--tasks", "stsb", "--limit", "40", "--no-throughput",
         "--track", "wandb", "--out", "out", "--json"],
    )  # fmt: skip
    assert (answer.exit_code, json.loads(answer.stdout)["problems"]) == (0, [])
    (log,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    content = log.read_bytes()
    for name in (b"stsb/spearman_low", b"settings.precision", b"stsb/digest", b"leaderboard"):
        assert name in content
    files = [path.read_bytes() for path in tmp_path.glob("wandb/offline-run-*/**/*") if path.is_file()]
    assert not [each for each in files if b"verysecretvalue" in each or b"secret-of-the-command-line" in each]


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_missing_library_is_named_with_its_command_before_anything_is_encoded(name, monkeypatch, tmp_path):
    monkeypatch.setattr("harness.system.extras.is_installed", lambda module: False)
    options = ["--out", str(tmp_path / "out"), "--track", name]
    answer = CliRunner().invoke(cli, ["run", "--model", "lexical", "--tasks", "stsb", *options])
    assert isinstance(answer.exception, harness.HarnessError)
    assert f"pip install 'embedding-harness[{name}]'" in str(answer.exception)
    assert not (tmp_path / "out").exists()


def test_wandb_without_a_key_is_refused_since_nobody_may_be_there_to_type_one(monkeypatch, tmp_path):
    monkeypatch.setattr("harness.system.extras.is_installed", lambda module: True)
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(harness.HarnessError, match=r"needs a key for https://api\.wandb\.ai"):
        harness.evaluate("lexical", PAIRS, track="wandb")
