"""A run of MLflow for each model of a run of the harness."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.authoring import TrackedEnd, TrackedModel, TrackedRecord

_EXPERIMENT = "harness"
_BATCH = 100
"""Maximum number of parameters in one request to a server."""
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
"""What the user has not set: by default, a server that is off is asked for four minutes."""


def check_store() -> None:
    """Raise HarnessError for a store that cannot be opened; a server is not asked yet."""
    import mlflow

    try:
        mlflow.MlflowClient()
    except (mlflow.MlflowException, ImportError) as error:
        raise HarnessError(
            f"tracker mlflow cannot open its store: {error}", hint="MLFLOW_TRACKING_URI names another one"
        ) from error


class MlflowRun:
    """A run in the experiment MLFLOW_EXPERIMENT_NAME, by default `harness`; below the active run, if any.

    It is not the active run itself: what a notebook logs goes where it went before.
    """

    def __init__(self, model: TrackedModel) -> None:
        import mlflow
        from mlflow.entities import Param

        with _patient():
            self._client = mlflow.MlflowClient()
            parent = mlflow.active_run()
            run = self._client.create_run(
                parent.info.experiment_id if parent else _experiment(self._client),
                run_name=model.model,
                tags={
                    "harness.run": model.run,
                    "harness.model": model.model,
                    "harness.fingerprint": model.fingerprint,
                    **({"mlflow.parentRunId": parent.info.run_id} if parent else {}),
                },
            )
            self._id: str = run.info.run_id
            self._param: Any = Param
            self._log_parameters(model.parameters)

    def log(self, record: TrackedRecord) -> None:
        """Log what was asked and the scores; kept records too, so that each run is whole."""
        with _patient():
            self._log_parameters(record.parameters)
            self._log_metrics(record.metrics)

    def close(self, end: TrackedEnd) -> None:
        """Log the speed and the leaderboards, and end the run."""
        with _patient():
            self._log_metrics(end.metrics)
            for name, content in end.files.items():
                self._client.log_text(self._id, content.decode(), name)
            self._client.set_terminated(self._id, _STATUS[end.status])

    def _log_parameters(self, parameters: Mapping[str, object]) -> None:
        found = [self._param(name, str(value)) for name, value in parameters.items()]
        for start in range(0, len(found), _BATCH):
            self._client.log_batch(self._id, params=found[start : start + _BATCH])

    def _log_metrics(self, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._client.log_batch(
            self._id, metrics=[Metric(name, value, now, 0) for name, value in metrics.items()]
        )


def _experiment(client: Any) -> str:  # noqa: ANN401 - an MlflowClient
    """Return the id of the experiment, which is made where it does not exist."""
    if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return given
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


@contextmanager
def _patient() -> Iterator[None]:
    """Wait for a server for seconds, not minutes, unless the user has said how long."""
    added = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
