"""The colours of figures: as they are on paper, and as CSS variables on a page.

Every figure is drawn in the first; ``svg.inline`` replaces them by the second, so that a page's
figures follow its theme. No two colours are the same, so that each finds its variable again.
"""

from veperf.report.status import Tone

INK = "#1f2328"
MUTED = "#59636e"
GRID = "#d1d9e0"
ACCENT = "#0b62c9"
BASE = "#8a6100"
TONES: dict[Tone, str] = {
    "pass": "#176f31",
    "warn": "#8f5a00",
    "fail": "#c01c2b",
    "quiet": "#5a646f",
}

VARIABLES: dict[str, str] = {
    INK: "var(--vp-ink,currentColor)",
    MUTED: f"var(--vp-muted,{MUTED})",
    GRID: f"var(--vp-grid,{GRID})",
    ACCENT: f"var(--vp-accent,{ACCENT})",
    BASE: f"var(--vp-base,{BASE})",
    **{colour: f"var(--vp-{tone},{colour})" for tone, colour in TONES.items()},
}
