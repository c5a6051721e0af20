"""Two models' answers to the same examples: how large is the gain, and how sure is it?"""
