"""Scope envelopes: a payload sealed to validators, signed by an approved client and its user."""
