"""Statistics: confidence curves, paired tests of a gain, corrections for many tests, power, selection."""
