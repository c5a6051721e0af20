"""Hash what Python code computes: one source (`form`), or all modules that code reaches by imports (`walk`).

Executes none of the code that it reads, and imports only the standard library.
"""
