"""Where an archive lies: in a folder of this machine, or at a URL that fsspec knows."""
