"""Claims that stay with their holder: checked, and shown by no error, log or ``repr``."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from veperf.core.errors import DataError

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ "
    "EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW "
    "GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY "
    "KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV "
    "MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG "
    "TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW"
)
COUNTRIES = frozenset(_CODES.split())
"""The country codes of ISO 3166-1 alpha-2."""


class ClaimError(DataError):
    """A claim of the wrong type, or out of its range; the message does not show it."""


class PrivateClaims(Struct, frozen=True, kw_only=True):
    """Base of the claims that only their holder knows; ``repr`` has none of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<private>)"

    def __rich_repr__(self) -> Any:
        yield "<private>"


_NO_KIND_OF = {int: bool, date: datetime}
"""Python derives these, and nobody means them."""


def check_type(name: str, value: object, kind: type) -> None:
    """Check that ``value``, called ``name``, is a ``kind``; a bool is no int, a time no date.

    Raises:
        ClaimError: it is not.
    """
    if not isinstance(value, kind) or isinstance(value, _NO_KIND_OF.get(kind, ())):
        raise ClaimError(f"{name} must be a {kind.__name__}, not a {type(value).__name__}")


def check_text(name: str, value: object) -> None:
    """Check that ``value``, called ``name``, is a text that can be encoded, for it is hashed.

    Raises:
        ClaimError: it is not. Python's own error would hold the whole text.
    """
    check_type(name, value, str)
    if any("\ud800" <= character <= "\udfff" for character in str(value)):
        raise ClaimError(f"{name} holds half of a character, which can't be encoded")


def country_number(code: str) -> int:
    """Return a number from 1 to 676 for the two letters of a country code.

    Raises:
        ClaimError: it is no country code of ISO 3166-1.
    """
    check_type("a country", code, str)
    if code not in COUNTRIES:
        raise ClaimError("a country is a code of ISO 3166-1 alpha-2, such as DE")
    first, second = (ord(letter) - ord("A") for letter in code)
    return first * 26 + second + 1
