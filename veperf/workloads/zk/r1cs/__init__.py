"""Rank-1 constraint systems: built with names and operators; violations are explained by name."""
