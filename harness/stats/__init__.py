"""Statistics: intervals, paired tests of a gain, corrections for many tests."""
