"""Access to the operating system: files, paths, limits, processes, signals, code."""
