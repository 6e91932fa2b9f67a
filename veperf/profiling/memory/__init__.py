"""Memory of an operation and of a process over time, budgets and leaks.

Never measured in the same pass as time.
"""
