"""The gate to trust: old and new code side by side, pair by pair, until it is decided."""
