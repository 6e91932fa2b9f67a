"""BabyJubjub, the curve over BN254's scalar field, and circomlib's signatures on it."""
