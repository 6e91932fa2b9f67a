"""Proofs for Ethereum: the encoding of its precompiled contracts, and verifiers in Solidity."""
