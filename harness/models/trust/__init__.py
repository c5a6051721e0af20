"""Refuse pickles, custom code and outside files in a model folder, unless the user allowed them."""
