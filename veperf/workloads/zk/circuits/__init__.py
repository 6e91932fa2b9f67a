"""Circuits for age, residency and score, and for any subset of several claims.

Each has a statement that a verifier checks, and a function that computes the prover's witness;
``circuit.verify_statement`` checks a proof of any of the statements.
"""
