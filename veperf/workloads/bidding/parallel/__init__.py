"""Engines in processes of their own, each with its providers, that bid side by side."""
