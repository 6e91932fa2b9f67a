"""Identity records in the chain's state: life cycle, encoding, and uploads of scopes."""
