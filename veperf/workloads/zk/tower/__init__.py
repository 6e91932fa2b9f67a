"""The extension fields of the pairing: Fp2, and Fp12 over it."""
