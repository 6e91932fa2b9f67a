"""Compiled kernels, where they were built, and the choice between them and Python's code."""
