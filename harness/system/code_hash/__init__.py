"""Hashes of what Python code means: of one source (`form`), and of all modules that code reaches (`reached`).

Executes none of the code that it reads, and imports nothing but the standard library.
"""
