"""Raises when it is imported."""

raise RuntimeError("the database is down\n\x1b[31mand the rest of the message")
