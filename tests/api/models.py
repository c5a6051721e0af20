"""Models and rows of tests of the Python API."""

import numpy as np

TEXT = "a man plays the guitar while two dogs run over grass and rain falls on an old house"
WORDS = TEXT.split()
ROWS = {
    "text1": [" ".join(WORDS[at : at + 4]) for at in range(12)],
    "text2": [" ".join(WORDS[at + 1 : at + 6]) for at in range(12)],
    "score": [5.0, 1.0, 4.0, 2.0, 3.5, 0.0, 4.5, 1.5, 2.5, 3.0, 0.5, 4.2],
}


def letter_counts(texts):
    """Embed texts as counts of their letters."""
    return np.array(
        [[text.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], float
    )


class Letters:
    """An object that encodes, with a method of its own for queries."""

    def encode(self, texts):
        return letter_counts(texts)

    def encode_query(self, texts):
        return letter_counts([f"query {text}" for text in texts])
