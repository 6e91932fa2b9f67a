"""Options as data: one declaration of an option serves every way to set it.

An options type is a frozen dataclass under :class:`Options`. The annotation of a field carries
bounds, choices and help text (``msgspec.Meta``), its default stands beside it, and a number of
seconds says so by its name (``timeout_s``)::

    @dataclass(frozen=True, kw_only=True)
    class RunOptions(Options):
        timeout_s: Annotated[float, Meta(gt=0), about("For one case in one process.")] = 60.0

From that follow the options of a command (``veperf.cli.options.options_of``), the keywords of a
function (:func:`keyword_options`), the parameters of a notebook (:func:`notebook_parameters`), the
fields of a TOML file (:func:`options_from`) and the arguments for another process
(:func:`command_arguments`).
"""

import functools
import inspect
import math
import operator
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import Meta

from veperf.core.errors import UsageError
from veperf.core.units import parse_duration_s

Ratio = Annotated[float, Meta(extra={"unit": "ratio"})]
"""A share of 1: ``5%`` or ``0.05``. A bare number of 1 or more is refused, as it is most likely
meant in percent; so a bound, too, lies below 1 where options are handed on as numbers."""
Duration = Annotated[float, Meta(extra={"unit": "s"})]
"""A length of time of an option whose name does not end in ``_s``: ``90``, ``90s`` or ``10m``."""

_SECONDS = "_s"
_BOUNDS = (
    ("ge", "at least", operator.ge),
    ("gt", "more than", operator.gt),
    ("le", "at most", operator.le),
    ("lt", "less than", operator.lt),
)
_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all options types."""

    def __post_init__(self) -> None:
        """Check that the values go together; what a base checks stays checked by ``super()``.

        Raises:
            UsageError: they don't.
        """


_Kind = TypeVar("_Kind", bound=Options)


class OptionError(UsageError):
    """A value that an option can't have; the message goes on from the option's name."""


def about(
    description: str,
    *,
    flag: str = "",
    alias: str = "",
    metavar: str = "",
    default: str = "",
    former: tuple[str, ...] = (),
) -> Meta:
    """Describe a field.

    Args:
        description: its help.
        flag: its name on the command line, where that is not its own.
        alias: another name there.
        metavar: placeholder for the value on the command line.
        default: what None or an empty value stands for.
        former: names that it had in earlier versions, for a hint.
    """
    extra = {
        "flag": flag, "alias": alias, "metavar": metavar, "default": default, "former": former
    }  # fmt: skip
    return Meta(description=description, extra=extra)


@dataclass(frozen=True, slots=True)
class OptionField:
    """An option, as its declaration describes it."""

    name: str
    annotation: Any
    kind: type
    """``bool``, ``int``, ``float``, ``str``, ``tuple`` for a list of text, or an options type."""
    default: Any
    """``MISSING`` where a value is required."""
    metas: tuple[Meta, ...]
    choices: tuple[str, ...]

    @property
    def unit(self) -> Literal["", "s", "ratio"]:
        """Unit of the number, by which text is read."""
        if self.name.endswith(_SECONDS) and self.kind is float:
            return "s"
        unit: Literal["", "s", "ratio"] = self._extra("unit")
        return unit

    @property
    def text_name(self) -> str:
        """Name where the value is given as text with its unit: ``timeout`` for ``timeout_s``."""
        return self.name.removesuffix(_SECONDS) if self.unit == "s" else self.name

    @property
    def flag(self) -> str:
        """Name on the command line."""
        return self._extra("flag") or "--" + self.text_name.replace("_", "-")

    @property
    def flags(self) -> tuple[str, ...]:
        """All its names on the command line."""
        return (self.flag, *filter(None, [self._extra("alias")]))

    @property
    def metavar(self) -> str:
        """Placeholder for the value in a command's help; empty for click's own."""
        return self._extra("metavar") or {"s": "TIME", "ratio": "RATIO", "": ""}[self.unit]

    @property
    def help(self) -> str:
        """Help text."""
        return next((meta.description for meta in self.metas if meta.description), "")

    @property
    def former(self) -> tuple[str, ...]:
        """Names that it had in earlier versions."""
        return self._extra("former") or ()

    def renamed_hint(self, name: str) -> str:
        """Return the hint for someone who uses a former name: its ``name`` now, and its unit."""
        return f"it is now {name}" + ", a ratio: 5% or 0.05" * (self.unit == "ratio")

    def default_text(self) -> str:
        """Return the default with its unit, for help; empty where it says nothing."""
        if text := self._extra("default"):
            return str(text)
        if self.default in (MISSING, None, (), "") or self.kind is bool:
            return ""
        return self.text_of(self.default) + " s" * (self.unit == "s")

    def text_of(self, value: Any) -> str:
        """Return the text that :meth:`read` turns into ``value``."""
        if self.unit == "ratio":
            return f"{100 * value:.15g}%"
        return f"{value:.15g}" if self.kind is float else str(value)

    def read(self, value: object, path: str = "") -> Any:
        """Return the value of the option, checked; text with a unit becomes a number.

        Raises:
            OptionError: it is of the wrong type, or out of bounds.
            UsageError: likewise, of a field of an options type.
        """
        is_text = isinstance(value, str)
        if isinstance(value, str):
            value = self._read_text(value)
        elif isinstance(value, Options):
            value = values_of(value)
        if issubclass(self.kind, Options) and isinstance(value, Mapping):
            return options_from(self.kind, value, path=f"{path}{self.name}.")
        if self.unit == "ratio" and not is_text and isinstance(value, int | float):
            _check_bare_ratio(value, f"{value:g}")
        self._check_bounds(value)
        try:
            return msgspec.convert(value, self.annotation)
        except msgspec.ValidationError as error:
            if self.choices:
                listing = "a list of " * (self.kind is tuple) + _either(self.choices)
                raise OptionError(f"must be {listing}, not {self._wrong_choices(value)}") from error
            raise OptionError(f"is {value!r}: {error}") from error

    def _check_bounds(self, value: object) -> None:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return
        if not all(holds(value, bound) for _, bound, holds in self._bounds()):
            bounds = (f"{words} {self.text_of(bound)}" for words, bound, _ in self._bounds())
            raise OptionError(f"must be {' and '.join(bounds)}, not {self.text_of(value)}")

    def _bounds(self) -> Iterator[tuple[str, float, Callable[[float, float], bool]]]:
        for meta in self.metas:
            for name, words, holds in _BOUNDS:
                if (bound := getattr(meta, name)) is not None:
                    yield words, bound, holds

    def _wrong_choices(self, value: object) -> str:
        """Return the value, or those parts of a list, that are no choice."""
        if self.kind is not tuple or not isinstance(value, Iterable) or isinstance(value, str):
            return repr(value)
        wrong = [repr(part) for part in value if part not in self.choices]
        return ", ".join(wrong) or repr(value)

    def _read_text(self, text: str) -> object:
        if self.unit == "ratio":
            return ratio_from_text(text)
        return _seconds_from_text(text) if self.unit == "s" else text

    def _extra(self, key: str) -> Any:
        return next(filter(None, ((meta.extra or {}).get(key) for meta in self.metas)), "")


def option_fields(kind: type[Options]) -> tuple[OptionField, ...]:
    """Return the fields of ``kind``, its own before those of its bases."""
    declared = {field.name: field for field in fields(kind)}
    names = dict.fromkeys(name for c in kind.__mro__ for name in vars(c).get("__annotations__", ()))
    return tuple(_described(declared[name]) for name in names)


def _described(field: Any) -> OptionField:
    metas: list[Meta] = []
    plain = _unwrap(field.type, metas)
    each = _unwrap(get_args(plain)[0], []) if get_origin(plain) is tuple else plain
    choices = get_args(each) if get_origin(each) is Literal else ()
    kind = str if get_origin(plain) is Literal else get_origin(plain) or plain
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return OptionField(field.name, field.type, kind, default, tuple(metas), choices)


def _unwrap(annotation: Any, metas: list[Meta]) -> Any:
    """The type under ``Annotated`` and ``| None``; what was wrapped around it joins ``metas``."""
    if get_origin(annotation) is Annotated:
        inner, *others = get_args(annotation)
        metas += [other for other in others if isinstance(other, Meta)]
        return _unwrap(inner, metas)
    if get_origin(annotation) in (UnionType, typing.Union):
        (inner,) = (part for part in get_args(annotation) if part is not NoneType)
        return _unwrap(inner, metas)
    return annotation


def _either(choices: tuple[str, ...]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def ratio_from_text(text: str) -> float:
    """Return the ratio that people write as ``5%`` or ``0.05``.

    Raises:
        OptionError: it is neither; a bare number of 1 or more is most likely meant in percent.
    """
    digits = text.strip()
    try:
        number = float(digits.removesuffix("%"))
    except ValueError:
        raise OptionError(f"must be a ratio such as 5% or 0.05, not {text!r}") from None
    if digits.endswith("%"):
        return number / 100
    _check_bare_ratio(number, digits)
    return number


def _check_bare_ratio(number: float, digits: str) -> None:
    if not isinstance(number, bool) and 1 <= number < math.inf:
        share = f" or {number / 100:g}" if number < 100 else ""
        raise OptionError(f"is a ratio: write {digits}%{share}, not {digits}")


def _seconds_from_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        try:
            return parse_duration_s(text)
        except UsageError as error:
            raise OptionError(f"is {text!r}, not a duration such as 90s, 10m or 1.5h") from error


def options_from(kind: type[_Kind], values: Mapping[str, object], *, path: str = "") -> _Kind:
    """Build options from what a person wrote: a table of TOML, keywords, a notebook's parameters.

    A length of time goes by its name in seconds (``timeout_s = 60``) or, as text, without the unit
    (``timeout = "1m"``); a ratio is a number or text.

    Args:
        kind: of options.
        values: by name; what is missing has its default.
        path: put before a name in messages, as ``$.ab.``.

    Raises:
        UsageError: an option is unknown, missing, of the wrong type or out of bounds.
    """
    names = {field.text_name: field for field in option_fields(kind)}
    names |= {field.name: field for field in option_fields(kind)}
    settings: dict[str, Any] = {}
    for name, value in values.items():
        if name not in names:
            raise UsageError(f"{path}{name} is no option{_name_hint(name, kind, names)}")
        field = names[name]
        if field.name in settings:
            raise UsageError(
                f"{path}{field.name} and {path}{field.text_name} are the same: write one of them"
            )
        if name != field.name and not isinstance(value, str):
            raise UsageError(f"{path}{name} must be text such as '90s' or '10m', not {value!r}")
        try:
            settings[field.name] = field.read(value, path)
        except OptionError as error:
            raise UsageError(f"{path}{name} {error}") from error
    for field in option_fields(kind):
        if field.default is MISSING and field.name not in settings:
            raise UsageError(f"{path}{field.name} is missing")
    try:
        return kind(**settings)
    except UsageError as error:
        raise UsageError(f"{path}{error}") from error


def _name_hint(name: str, kind: type[Options], names: Iterable[str]) -> str:
    """A hint, after a semicolon, for a name that is none of ``names``; empty if there is none."""
    for field in option_fields(kind):
        if name in field.former:
            return f"; {field.renamed_hint(field.name)}"
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def values_of(options: Options) -> dict[str, Any]:
    """Return the value of each field, by name."""
    return {field.name: getattr(options, field.name) for field in option_fields(type(options))}


def select_options(kind: type[_Kind], values: Mapping[str, object]) -> _Kind:
    """Build options from those of ``values`` that are theirs, such as a notebook's globals.

    A list may be a single text.

    Raises:
        UsageError: as ``options_from``.
    """
    settings = {
        field.name: as_names(values[field.name]) if field.kind is tuple else values[field.name]
        for field in option_fields(kind)
        if field.name in values
    }
    return options_from(kind, settings)


def as_names(value: Any) -> Any:
    """Return a list of names, or a single one, as a tuple."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(value) if isinstance(value, Iterable) else value


def flat_names(parts: Iterable[str | Iterable[str]]) -> tuple[str, ...]:
    """Return the names in ``parts``, each of which is one or several.

    Raises:
        UsageError: one is no text.
    """
    names: list[str] = []
    for part in map(as_names, parts):
        for name in part if isinstance(part, tuple) else (part,):
            if not isinstance(name, str):
                raise UsageError(
                    f"benchmarks are selected by name, a text or a list of text, not {name!r}"
                )
            names.append(name)
    return tuple(names)


def keyword_options(function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Let callers of ``function`` set the fields of its parameter ``options`` by keyword, too.

    The signature and the docstring that are shown for it list them. ``options`` gets its type's
    defaults, and reaches ``function`` checked.
    """
    kind: type[Options] = function.__annotations__["options"]
    names = [field.name for field in option_fields(kind)]

    @functools.wraps(function)
    def call(*args: Any, options: Options | None = None, **keywords: Any) -> _Result:
        for name in keywords:
            if name not in known:
                hint = _name_hint(name, kind, known)
                raise TypeError(f"{function.__name__}() got an unexpected keyword {name!r}{hint}")
        settings = {name: keywords.pop(name) for name in names if name in keywords}
        base = kind() if options is None else options
        if not isinstance(base, kind):
            raise UsageError(
                f"options of {function.__name__}() must be {kind.__name__}(...), not "
                f"{_type_text(base)}; each of its fields is a keyword as well"
            )
        checked = select_options(type(base), values_of(base) | settings)
        return function(*args, options=checked, **keywords)

    signature = inspect.signature(function)
    parameters = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY,
                          default=field.default, annotation=_plain(field.annotation))
        for field in option_fields(kind)
    ]  # fmt: skip
    others = [p for p in signature.parameters.values() if p.name != "options"]
    place = next((i for i, p in enumerate(others) if p.kind is p.KEYWORD_ONLY), len(others))
    options = signature.parameters["options"].replace(default=None, annotation=kind | None)
    others[place:place] = [*parameters, options]
    known = [parameter.name for parameter in others]
    wrapper = cast(Any, call)
    wrapper.__signature__ = signature.replace(parameters=others)
    lines = (f"\n        {field.name}: {field.help}" for field in option_fields(kind))
    wrapper.__doc__ = f"{(function.__doc__ or '').rstrip()}\n\n    Options:{''.join(lines)}\n    "
    return call


def _type_text(value: object) -> str:
    return f"{type(value).__name__}(...)" if isinstance(value, Options) else repr(value)


def _plain(annotation: Any) -> Any:
    """``annotation`` without its descriptions, for a signature."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (UnionType, typing.Union):
        return functools.reduce(lambda a, b: a | b, map(_plain, get_args(annotation)))
    return tuple[str, ...] if get_origin(annotation) is tuple else annotation


def notebook_parameters(kind: type[Options], defaults: Mapping[str, Any] | None = None) -> str:
    """Return the lines of a notebook's ``parameters`` cell, which papermill reads.

    ``defaults`` replace those of the type.
    """
    lines = []
    for field in option_fields(kind):
        text = field.default_text() if field.default in (None, "", ()) else ""
        default = f"  [default: {text}]" if text else ""
        value = (defaults or {}).get(field.name, field.default)
        value = list(value) if isinstance(value, tuple) else value
        name = "list" if field.kind is tuple else field.kind.__name__
        literal = f'"{value}"' if isinstance(value, str) else repr(value)
        lines.append(f"{field.name}: {name} = {literal}  # {field.help}{default}")
    return "\n".join(lines)


def command_arguments(options: Options) -> Iterator[str]:
    """Return the arguments of a command line that set ``options``."""
    for field in option_fields(type(options)):
        value = getattr(options, field.name)
        if value is None or value == "":
            continue
        if field.kind is bool:
            if value != field.default:
                yield field.flag if value else f"--no-{field.flag[2:]}"
            continue
        for each in value if isinstance(value, tuple) else (value,):
            yield from (field.flag, field.text_of(each))
