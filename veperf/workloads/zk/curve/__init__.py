"""The groups G1 and G2 of BN254."""
