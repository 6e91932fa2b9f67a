"""Groth16 over BN254: set-up, proofs, verification of one or many, keys and provers on disk."""
