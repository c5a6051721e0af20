"""The commands of harness itself: a plugin's cannot have their names."""

COMMANDS = {
    "run": "Evaluate models on tasks; write results and a leaderboard.",
    "list": "Show tasks, models, recipes, checks and plugins, and where each comes from.",
    "freeze": "Print the digests that freeze the rows of a suite.",
    "status": "Show what is done, failed, missing or stale, and how to continue.",
    "verify": "Verify results: hashes, scores, leaderboard.",
    "leaderboard": "Merge result folders and rank what is comparable.",
    "export": "Put a model's scores into its card.",
    "compare": "Compare candidates with a baseline; a gate for CI.",
    "report": "Write one page that says what was compared, and shows it.",
    "check": "Check data, recipes, candidates, models and model cards.",
    "bench": "Measure throughput, models side by side.",
    "plan": "Estimate time and memory of a large corpus from a bench.",
    "schema": "Print the JSON Schema of a file or a document.",
    "cache": "Show, verify and clear the cache of embeddings.",
    "train": "Train candidates from a recipe or a model card.",
    "validate": "Say what a task file, gate, recipe or configuration means.",
    "new": "Write a plugin of your own: task, model, check or trainer.",
    "completion": "Print the script that completes names in bash, zsh or fish.",
}
