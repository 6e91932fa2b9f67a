"""Statistics on arrays: tests, estimators, intervals, sequential rules, change points."""
