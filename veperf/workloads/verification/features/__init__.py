"""Features of the scopes of a verification: 768 numbers, the same on every machine."""
