"""How an A/B comparison is shown."""
