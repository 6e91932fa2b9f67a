"""Comparisons of programs in any language: Go benchmarks, and commands that print many results."""
