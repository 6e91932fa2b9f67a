"""Answers about a run: its targets, its baseline screen, and the verdict in words."""
