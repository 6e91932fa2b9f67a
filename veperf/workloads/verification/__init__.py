"""VirtEngine's identity verification (VEID): envelopes, features, scoring, records, pipeline.

Nothing is handed on here, so that a part can be had without importing all of them.
"""
