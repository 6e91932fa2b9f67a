"""Verifications in several processes at once."""
