"""Compiled kernels, where they were built, and the choice between them and Python's code."""

from hashlib import sha256
from pathlib import Path


def digest_sources() -> str | None:
    """Return a digest of ``src``, hexadecimal; None where veperf is installed without it."""
    files = sorted(Path(__file__).with_name("src").glob("*.[ch]"))
    parts = [sha256(path.name.encode() + b"\n" + path.read_bytes()).digest() for path in files]
    return sha256(b"".join(parts)).hexdigest() if parts else None
