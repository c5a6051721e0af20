"""Do results still hold? Their hashes, scores and leaderboard, each made again from what it is made of."""
