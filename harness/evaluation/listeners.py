"""Who is told of each record of a run: hooks `harness_record`, and the trackers of `--track`."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from harness.evaluation.tracked_values import model_parameters, record_values, speed_metrics
from harness.plugins.tracker import TrackedEnd, TrackedModel, TrackedRecord
from harness.results.folder import encode
from harness.results.publish import leaderboard_files
from harness.system.plugin_code import error_sentence, plugin_code
from harness.system.read_only import frozen_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.plugins.loader import Plugins
    from harness.plugins.tracker import Tracker, TrackerRun
    from harness.results.folder import ResultsFolder
    from harness.results.records import Evaluation

Outcome = Literal["computed", "kept", "failed"]


@dataclass
class Listeners:
    """Tells hooks and trackers what a run did. What they raise is a problem, and costs nothing else."""

    results: ResultsFolder
    plugins: Plugins | None = None
    trackers: Sequence[Tracker] = ()
    problems: list[str] = field(default_factory=list)
    """One sentence for each thing that a hook or a tracker raised, each once."""
    _runs: dict[tuple[str, tuple[str, str]], TrackerRun] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)
    """Names of trackers that raised: a server that does not answer is not asked again."""
    _failed: set[tuple[str, str]] = field(default_factory=set)
    _name: str = field(default_factory=lambda: f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{os.getpid()}")

    def tell(self, evaluation: Evaluation, *, reused: bool) -> None:
        """Tell of a record that is on disk."""
        told = self.plugins is not None and self.plugins.is_told("harness_record")
        if not (told or self.trackers):
            return
        outcome: Outcome = "kept" if reused else "computed" if evaluation.status == "ok" else "failed"
        if outcome == "failed":
            self._failed.add(evaluation.model)
        # As it is on disk: without secrets, and NaN is null.
        record = frozen_plain(json.loads(encode(evaluation)), "a record")
        if self.plugins is not None:
            arguments = {"record": record, "outcome": outcome, "folder": str(self.results.root)}
            self.plugins.tell("harness_record", arguments, self._note)
        for tracker in self.trackers:
            self._log(tracker, evaluation, record, outcome)

    def close(self, status: Literal["finished", "failed", "interrupted"]) -> None:
        """End the runs of all trackers; nothing more is told."""
        files = leaderboard_files(self.results, []) if self._runs and self.results.begun else {}
        speeds = (
            {(one.model, one.fingerprint): one for one in self.results.throughputs([])} if self._runs else {}
        )
        trackers = {tracker.name: tracker for tracker in self.trackers}
        for (name, model), run in self._runs.items():
            own = "failed" if status == "finished" and model in self._failed else status
            end = TrackedEnd(status=own, metrics=speed_metrics(speeds.get(model)), files=files)
            self._attempt(trackers[name], partial(run.close, end))
        self._runs.clear()

    def _log(self, tracker: Tracker, evaluation: Evaluation, record: Any, outcome: Outcome) -> None:  # noqa: ANN401 - plain data
        key = tracker.name, evaluation.model
        if key not in self._runs and tracker.name not in self._lost:
            model = TrackedModel(
                model=record["candidate"]["model"],
                fingerprint=evaluation.candidate.fingerprint,
                run=self._name,
                parameters=model_parameters(record),
            )
            run = self._attempt(tracker, lambda: tracker.open(model))
            if run is not None:
                self._runs[key] = run
        if tracker.name in self._lost or key not in self._runs:
            return
        metrics, parameters = record_values(record, outcome)
        tracked = TrackedRecord(
            task=evaluation.examination.task,
            outcome=outcome,
            metrics=metrics,
            parameters=parameters,
            record=record,
        )
        self._attempt(tracker, lambda: self._runs[key].log(tracked))

    def _attempt(self, tracker: Tracker, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - what a plugin returns
        """Return what the tracker returns; None where it raised, and is not told any more."""
        try:
            with plugin_code():
                return action()
        except Exception as error:  # noqa: BLE001 - a plugin, or its server, may raise anything
            if tracker.name not in self._lost:
                lost = f"tracker {tracker.name} has not got all results, which are on disk"
                self._note(f"{lost}: {error_sentence(error)}")
            self._lost.add(tracker.name)
            return None

    def _note(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)
