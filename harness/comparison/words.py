"""Words of a comparison: verdicts on lines, outcomes and rules of the gate."""

from typing import Literal

Verdict = Literal["better", "worse", "equivalent", "inconclusive", "not tested"]
Outcome = Literal["passes", "fails", "undecided", "broken"]
"""Of a condition of the gate, and of the gate as a whole."""

Rule = Literal["margin", "gain", "min", "throughput"]
Over = Literal["mean", "worst"]
