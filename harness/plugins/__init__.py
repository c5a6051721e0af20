"""Hooks, the plugins that implement them, and how they are loaded."""
