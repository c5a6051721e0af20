"""Tasks, their data and predictions, task files, and selection by name and tag."""
