"""The made results of benchmarks are what a run could have written."""

from __future__ import annotations

from benchmarks.report.make_results import HOSTILE
from harness.evaluation.verify import verify
from harness.results.folder import ResultsFolder


def test_a_made_folder_verifies_and_is_hostile(made):
    results = ResultsFolder(made)
    report = verify(results, {})
    assert report.faults == []
    assert report.records == 12
    records = results.evaluations()
    assert {record.status for record in records} == {"ok", "error"}
    assert any(HOSTILE[1] in record.candidate.model for record in records)
