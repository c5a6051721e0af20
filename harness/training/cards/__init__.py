"""Model cards that sentence-transformers generated, read into recipes and inputs of checks."""
