"""Pieces of circuits, each sound by itself."""
