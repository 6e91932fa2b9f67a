"""Data that everything passes around, errors, units, text formatting, configuration and paths."""
