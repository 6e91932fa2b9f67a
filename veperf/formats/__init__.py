"""Readers of other tools' benchmark files: each into the same kind of run."""
