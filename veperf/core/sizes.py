"""Sizes and counts as people read them."""

_STEPS = ("B", "KiB", "MiB", "GiB")


def size(count_bytes: float) -> str:
    """A number of bytes in the unit that suits: 1,536 is 1.5 KiB."""
    value = float(count_bytes)
    for unit in _STEPS:
        if abs(value) < 1024:
            return f"{count(value)} {unit}"
        value /= 1024
    return f"{count(value)} TiB"


def count(value: float) -> str:
    """A number to three digits or its whole part, thousands apart."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
