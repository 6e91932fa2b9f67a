"""A/B comparison: old and new code side by side, pair by pair, until each case is decided."""
