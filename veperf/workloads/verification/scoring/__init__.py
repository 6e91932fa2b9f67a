"""Scores from features: one model, and several engines that run it."""
