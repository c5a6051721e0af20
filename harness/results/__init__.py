"""Results on disk, and the leaderboards, rankings and tests made of them."""
