"""Conversion of a matplotlib figure to a small piece of inline SVG.

matplotlib's own output is a document: with a style rule for every element of the page it lands
in, ids that clash with the next figure's, a date, and coordinates to a millionth of a point. What
is kept is the drawing, the same bytes each time, in colours that follow the page's theme.
"""

import io
import re
import warnings
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from veperf.core.escape import as_html
from veperf.report.tables.status import Tone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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

_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"#([\w-]+)")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
# Properties that are SVG's defaults, or that the page sets.
_REDUNDANT = re.compile(
    r"(?:font-(?:family|size-adjust|stretch|variant|weight): *[^;]*"
    r"|stroke-opacity: *1|opacity: *1|stroke-dashoffset: *0|stroke-miterlimit: *\d+)(?:;|$)"
)


def inline_svg(figure: "Figure", *, name: str, alt: str) -> str:
    """Return ``figure`` as an ``<svg>`` element, labelled ``alt`` for those who can't see it.

    ``name`` must differ between the figures of a page: it begins every id. The element has a
    ``viewBox`` and no size; the page's style decides how wide it is.
    """
    root = _strip_namespaces(_draw(figure, name))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "title", "clipPath", "style"):
                parent.remove(child)
    used = set(_REFERENCE.findall(" ".join(_links(root))))
    ids = {old: f"{name}-{n}" for n, old in enumerate(sorted(used))}
    for element in root.iter():
        _shorten(element, ids)
    _unwrap(root)
    view_box = root.attrib["viewBox"]
    root.attrib.clear()
    body = "".join(ET.tostring(child, encoding="unicode") for child in root)
    return (
        f'<svg class="vp-figure" viewBox="{view_box}" role="img" aria-label="{as_html(alt)}" '
        f'stroke-linejoin="round"><title>{as_html(alt)}</title>{body}</svg>'
    )


def _draw(figure: "Figure", name: str) -> ET.Element:
    import matplotlib as mpl

    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        # Glyphs that matplotlib's font lacks are in the browser's font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return ET.fromstring(buffer.getvalue())  # noqa: S314  written by matplotlib


def _strip_namespaces(root: ET.Element) -> ET.Element:
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {k.rpartition("}")[2]: v for k, v in element.attrib.items()}
        element.text = (element.text or "").strip("\n ") or None
        element.tail = None
    return root


def _links(root: ET.Element) -> list[str]:
    return [value for e in root.iter() for key, value in e.attrib.items() if key == "href"]


def _shorten(element: ET.Element, ids: dict[str, str]) -> None:
    attributes: dict[str, str] = {}
    for key, value in element.attrib.items():
        if key == "id":
            if value in ids:
                attributes["id"] = ids[value]
        elif key == "href":
            attributes[key] = "#" + ids[value[1:]]
        elif key == "style":
            if style := _style(value):
                attributes[key] = style
        elif key != "clip-path" and not value.startswith("rotate(-0 "):
            attributes[key] = " ".join(_NUMBER.sub(_rounded, value).split())
    element.attrib = attributes


def _style(value: str) -> str:
    needed = _REDUNDANT.sub("", value).replace("; ", ";").replace(": ", ":").strip("; ")
    short = _NUMBER.sub(lambda match: f"{float(match[0]):.3g}", needed)
    return _COLOUR.sub(lambda match: VARIABLES.get(match[0], match[0]), short)


def _rounded(match: re.Match[str]) -> str:
    return f"{round(float(match[0]), 1) + 0.0:g}"  # plus zero: there is no minus zero


def _unwrap(parent: ET.Element) -> None:
    """Replace groups without attributes by their children."""
    flat: list[ET.Element] = []
    for child in parent:
        _unwrap(child)
        if child.attrib.get("style") == "fill:none":
            continue  # a background that is not painted
        if child.tag in ("g", "defs") and not child.attrib and (child.tag == "g" or not len(child)):
            flat.extend(child)
        else:
            flat.append(child)
    parent[:] = flat
