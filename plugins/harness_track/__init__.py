"""Trackers: MLflow and Weights & Biases, by `--track mlflow` and `--track wandb`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl
from harness.authoring import Tracker, require_extra

if TYPE_CHECKING:
    from harness.authoring import TrackedModel, TrackerRun


def _open_mlflow(model: TrackedModel) -> TrackerRun:
    from harness_track.of_mlflow import MlflowRun

    return MlflowRun(model)


def _open_wandb(model: TrackedModel) -> TrackerRun:
    from harness_track.of_wandb import WandbRun

    return WandbRun(model)


def _check_mlflow() -> None:
    require_extra("mlflow", "mlflow", "tracker mlflow")
    from harness_track.of_mlflow import check_store

    check_store()


def _check_wandb() -> None:
    require_extra("wandb", "wandb", "tracker wandb")
    from harness_track.of_wandb import check_key

    check_key()


@hookimpl
def harness_trackers() -> list[Tracker]:
    """Return our trackers; their libraries are imported when they are used."""
    return [
        Tracker(
            "mlflow",
            "MLflow, at MLFLOW_TRACKING_URI (extra `mlflow`)",
            _open_mlflow,
            _check_mlflow,
        ),
        Tracker(
            "wandb",
            "Weights & Biases; WANDB_MODE=offline writes to ./wandb (extra `wandb`)",
            _open_wandb,
            _check_wandb,
        ),
    ]
