"""Models: how they are named, found, checked, fingerprinted and loaded."""
