"""Pages of a report: one that says everything, and a leaderboard alone."""

from harness_report.page.write import leaderboard, page

__all__ = ["leaderboard", "page"]
