"""Sham-edit battery: versions of a small library that do the same work, compared by the gate."""
