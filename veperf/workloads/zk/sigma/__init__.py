"""Proofs about Pedersen commitments, as VirtEngine makes them since February 2026.

Sigma protocols over G1 of BN254, made non-interactive by hashing (Fiat, Shamir 1986), with all
randomness derived: the same inputs give the same bytes as VirtEngine's Go code
(x/veid/types/proof_types.go, commit 4954b9cc). ``docs/zk.md`` says what the protocol leaks.

``pedersen`` commits, ``knowledge`` proves an opening, ``ranges`` a lower bound, ``membership`` one
of a list, ``bundle`` several claims. Scalars are integers modulo R.
"""
