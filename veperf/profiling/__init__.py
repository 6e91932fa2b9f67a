"""CPU and memory profiles of a benchmark or of any callable, budgets and leaks."""
