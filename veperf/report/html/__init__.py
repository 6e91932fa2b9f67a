"""HTML: markup helpers, styles, sanitising, and whole pages."""
