"""One benchmark on a card: its value and picture first, what else there is to know below."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from veperf.core.escape import as_html
from veperf.report.html import markup
from veperf.report.tables.status import Mark

_CALM = 9


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on it, in this order."""

    name: str
    what: str
    value: str
    between: str
    """The interval of the value, in smaller print beside it."""
    marks: Sequence[Mark]
    picture: str
    """SVG of our own making."""
    said: Sequence[str]
    """Sentences."""
    facts: Sequence[tuple[str, str]]
    anchor: str = ""
    """The element's id, unique on its page."""
    trend: str = ""
    """SVG of our own making: the same benchmark in earlier runs."""
    code: str = ""
    """The benchmark's source."""

    @property
    def urgency(self) -> int:
        """Sorts cards, those that need attention first."""
        return min((m.urgency for m in self.marks if m.tone in ("fail", "warn")), default=_CALM)


def grid(cards: Iterable[Card]) -> str:
    """The cards side by side, those that need attention first."""
    ordered = sorted(cards, key=lambda card: card.urgency)
    return f'<div class="vp-cards">{"".join(map(_html, ordered))}</div>'


def _html(card: Card) -> str:
    badges = " ".join(map(markup.badge, card.marks))
    id = f' id="{as_html(card.anchor)}"' if card.anchor else ""
    return (
        f'<article class="vp-card"{id}><h3>{as_html(card.name)}</h3>'
        f'<p class="vp-what">{as_html(card.what)}</p>'
        f'<p class="vp-value"><b>{as_html(card.value)}</b> '
        f"<span>{as_html(card.between)}</span> {badges}</p>"
        + card.picture
        + (f'<p class="vp-trend">before {card.trend}</p>' if card.trend else "")
        + (markup.paragraph(" ".join(card.said)) if card.said else "")
        + markup.definitions(card.facts)
        + (markup.source(card.code) if card.code else "")
        + "</article>"
    )
