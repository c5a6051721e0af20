"""Figures of a report: for the page, drawn and compiled, and for papers."""

from harness_report.figures import agreement, forest, forgetting, histograms, intervals, trade_off, training

FIGURES = (
    intervals.FIGURE,
    forest.FIGURE,
    forgetting.FIGURE,
    trade_off.FIGURE,
    agreement.FIGURE,
    histograms.SIMILARITY,
    histograms.MARGIN,
    histograms.RANK,
    histograms.LENGTH,
    training.FIGURE,
)
"""All kinds of figure. Each one's `row` says which fields a row of its data has."""
