"""What the GitHub Action in action.yml runs: evaluate, compare, annotate, comment."""
