"""DataFrames that show their values with units, and hold plain numbers."""

from collections.abc import Callable, Hashable
from operator import methodcaller
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from veperf.core.text import MISSING, THIN, format_quantity

_UNIT_OF_ENDING = {"_ns": "ns", "_s": "s", "_bytes": "B", "_mhz": "MHz"}
"""Unit of a column by the ending of its name."""
_IN_ROW_UNIT = ("value", "base", "new", "limit", "last", "new_median")
"""Columns whose unit stands in the column ``unit`` of the same row."""
_ENDS = ("low", "high")
"""The same, where the interval is that of a column ``value``; beside a ratio it is the ratio's."""
_WITHOUT_UNITS = {"corr", "cov", "rank", "pct_change"}
"""Methods of DataFrames whose results are in no unit, or another."""
_TIMES = ("wall_median", "wall_p99")
"""Columns of times in ns that don't say so by their names."""


class UnitFrame(pd.DataFrame):
    """A DataFrame that shows 264 ns where it holds 264.3593.

    Units follow from the names of columns (``wall_ns``), and from a column ``unit`` for those that
    have one a row; whole numbers are counts, which have none. Everything else is as in any
    DataFrame. Parts, copies and joined frames show units, too; results of arithmetic don't, as
    they may be ratios.

    >>> UnitFrame({"case": ["a"], "wall_ns": [264.3593]})
      case wall_ns
    0    a  264 ns
    <BLANKLINE>
    [1 rows x 2 columns]
    """

    _metadata: ClassVar = ["has_units"]  # what parts and copies inherit
    has_units = True
    """False of ranks, correlations and the like, which have the same columns."""

    @property
    def _constructor(self) -> Callable[..., "UnitFrame"]:
        return UnitFrame

    def _arith_method(self, other: object, op: Callable[..., Any]) -> Any:
        return methodcaller("_arith_method", other, op)(pd.DataFrame(self))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [pd.DataFrame(i) if isinstance(i, UnitFrame) else i for i in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)

    def __finalize__(self, other: Any, method: str | None = None, **kwargs: Any) -> "UnitFrame":
        frame: UnitFrame = super().__finalize__(other, method=method, **kwargs)  # type: ignore[misc]  # pandas-stubs lack it
        if method in _WITHOUT_UNITS:
            frame.has_units = False
        return frame

    def __repr__(self) -> str:
        return str(self._with_size(repr, "\n\n{}"))

    def _repr_html_(self) -> str | None:
        text: str | None = self._with_size(methodcaller("_repr_html_"), "\n<p>{}</p>")
        return text

    def _with_size(self, show: Callable[[pd.DataFrame], Any], size: str) -> Any:
        """Return what ``show`` makes of the rows that pandas would show, and the whole size."""
        most, least = pd.get_option("display.max_rows"), pd.get_option("display.min_rows")
        rows = least or most if most and len(self) > most else len(self)
        ends = self
        if rows < len(self):  # a row more, so that pandas marks the gap
            half = rows // 2 + 1
            ends = self.iloc[[*range(half), *range(len(self) - half, len(self))]]
        options = ("display.show_dimensions", False, "display.max_rows", rows or None)
        with pd.option_context(*options, "display.min_rows", rows or None):
            text = show(_as_texts(ends) if self.has_units else pd.DataFrame(ends))
        if text is None:  # as where HTML is switched off
            return None
        return text + size.format(f"[{len(self)} rows x {self.shape[1]} columns]")


def _as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a plain frame with quantities as texts."""
    plain = pd.DataFrame(frame, copy=True)
    # Frames side by side have two columns of that name: neither is that of all rows.
    has_units = list(frame.columns).count("unit") == 1
    units = frame["unit"].tolist() if has_units else None
    by_row = {*_IN_ROW_UNIT, *(_ENDS if "value" in frame.columns else ())} if units else set()
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if not pd.api.types.is_float_dtype(column):
            continue
        unit = _unit_of(name)
        own = units if units and name in by_row else [unit] * len(frame) if unit else None
        if own is not None:
            texts = [_text(v, u) for v, u in zip(column.tolist(), own, strict=True)]
            plain.isetitem(place, np.array(texts, dtype=object))
    return plain


def _unit_of(name: Hashable) -> str:
    """Return the unit that the name of a column says; empty where it says none."""
    text = str(name)
    ending = next((e for e in _UNIT_OF_ENDING if text.endswith(e)), "")
    return "ns" if text in _TIMES else _UNIT_OF_ENDING.get(ending, "")


def _text(value: float, unit: object) -> str:
    """Return a quantity as text; rows of joined frames may lack their unit."""
    name = unit if isinstance(unit, str) else ""
    return MISSING if pd.isna(value) else format_quantity(float(value), name).replace(THIN, " ")
