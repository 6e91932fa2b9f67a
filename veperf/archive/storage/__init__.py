"""Places where an archive can be stored: a local folder, or a URL that fsspec knows."""
