"""Measuring old and new code in pairs, in turn."""
