"""What encoding and searching a corpus takes, planned from a bench (docs/cluster.md)."""
