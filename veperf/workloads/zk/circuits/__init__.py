"""Circuits for age, residency and score, for any subset of several claims, and for credentials.

Each has a statement that a verifier checks, and a function that computes the prover's witness;
``groth16.verify.verify`` checks a proof of any of the statements. ``presentation`` proves several
claims of a signed credential at once, for one verifier.
"""
