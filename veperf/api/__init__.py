"""The functions and results that ``import veperf`` offers."""
