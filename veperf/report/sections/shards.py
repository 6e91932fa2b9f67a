"""The processes that put a load on a system together, each in a row."""
