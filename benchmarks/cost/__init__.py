"""Measurement of what encoding and searching cost by size, and of how well small sizes predict large ones."""
