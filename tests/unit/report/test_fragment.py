"""Colours of the page."""

import re

import pytest

from veperf.report.html.fragment import component_css, page_css

TEXTS = ("ink", "muted", "accent", "base", "pass", "warn", "fail", "quiet")
PAPERS = ("paper", "card")


def _themes() -> dict[str, dict[str, str]]:
    light, jupyter_dark = re.findall(r"\{(\s*--vp-ink.*?)\}", component_css(), re.DOTALL)
    (page_dark,) = re.findall(r"\{(\s*--vp-ink.*?)\}", page_css(), re.DOTALL)
    blocks = {"light": light, "dark in JupyterLab": jupyter_dark, "dark": page_dark}
    return {name: dict(re.findall(r"--vp-([\w-]+):(#\w+)", b)) for name, b in blocks.items()}


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _contrast(ink: str, other: str) -> float:
    low, high = sorted((_luminance(ink), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", _themes())
def test_text_has_the_contrast_that_wcag_asks_for(theme):
    """Every text colour on every paper it stands on, statuses on their own: 4.5 to 1 (AA)."""
    colours = _themes()[theme]
    pairs = [(text, paper) for text in TEXTS for paper in PAPERS]
    pairs += [(t, f"{t}-bg") for t in ("pass", "warn", "fail", "quiet")]
    pairs += [("ink", f"{t}-bg") for t in ("pass", "warn", "fail", "quiet")]

    assert [] == [pair for pair in pairs if _contrast(colours[pair[0]], colours[pair[1]]) < 4.5]


def test_the_dark_theme_is_the_same_in_both_places():
    """JupyterLab and the browser's preference lead to the same colours."""
    themes = _themes()

    assert themes["dark"] == themes["dark in JupyterLab"]


def test_no_rule_fetches_anything():
    """The style has no addresses and no imports."""
    assert not re.search(r"url\(|@import|//", component_css() + page_css())
