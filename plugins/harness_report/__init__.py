"""The report: one HTML page, a leaderboard alone, and figures for papers (extra `report`)."""
