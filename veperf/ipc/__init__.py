"""Child processes, and framed messages between processes."""
