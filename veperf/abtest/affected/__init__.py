"""Benchmarks that a change can affect: those that execute code, or read data, that differs."""
