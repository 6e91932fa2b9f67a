"""What is proven: age, residency, score, and any subset of several claims.

Each module has its ``CIRCUIT`` (or ``circuit``), the ``Statement`` that a verifier checks, and
``witness`` for the prover; ``circuit.verify`` checks a proof of any of the statements.
"""
