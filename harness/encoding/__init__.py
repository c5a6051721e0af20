"""Embeddings: each text encoded once, checked, and cached on disk."""
