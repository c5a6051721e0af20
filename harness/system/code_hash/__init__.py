"""Hash Python code by what it computes: one source (`form`), and all that it imports (`walk`).

Executes none of the code that it reads, and imports only the standard library.
"""
