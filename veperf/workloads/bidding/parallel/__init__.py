"""Engines in separate processes, each with its own providers, that bid in parallel."""
