"""Objects that a stretch of work leaves behind: types that became more, containers that grew."""

import gc
import random
import sys
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from types import BuiltinFunctionType, CellType, FrameType, FunctionType, MethodType, ModuleType

from msgspec import Struct

_CONTAINERS = (list, dict, set, deque, OrderedDict)
_CODE_TYPES = (type, FunctionType, BuiltinFunctionType, MethodType, CellType, ModuleType)
"""Types of what an import makes, and of methods, whose objects count: no leak by themselves."""
_CACHE = type(lru_cache(len))
_UNNAMED = (*_CONTAINERS, tuple, _CACHE)
"""Types of holders that tell nothing: what refers to them does."""
_HEIGHT = 3
"""Holders of holders that are looked up."""
_CHUNK = 1_000
_MIN_LENGTH = 32
"""Shorter containers are not followed."""
_MIN_GROWTH = 16
"""Fewer new objects or items are not named."""
_MAX_ROWS = 5
_SAMPLE = 8
"""New objects of a type whose holders are looked up."""
_MAX_BLOCKS = 20_000_000
"""Of a larger heap no census is taken: it would take too long."""


class RetainedObjects(Struct, frozen=True):
    """Objects of a type, or items of a container, that became more."""

    kind: str
    """The type, or the container and what it is called."""
    more: int
    is_container: bool
    held_by: tuple[str, ...] = ()
    """What refers to them: to a sample of the objects, or to the container."""


class ObjectCensus:
    """Number of the garbage-collected objects of each type, and lengths of containers."""

    def __init__(self) -> None:
        """Count the objects that live now; take the census when garbage has been collected."""
        self._types: Counter[type] = Counter()
        self._lengths: dict[int, int] = {}
        if sys.getallocatedblocks() > _MAX_BLOCKS:
            return
        live = gc.get_objects()
        self._types.update(map(type, live))
        for item in _containers(live):
            self._lengths[id(item)] = len(item)

    def grown(self) -> tuple[RetainedObjects, ...]:
        """Return the containers, then the types, that have grown most since the census."""
        if not self._types:
            return ()
        live = gc.get_objects()
        own = {id(live), id(self._lengths), id(self._types), id(self.__dict__)}
        more_items = [
            (growth, item)
            for item in _containers(live)
            if id(item) not in own
            and not (isinstance(item, dict) and "__builtins__" in item)
            and (growth := len(item) - self._lengths.get(id(item), 0)) >= _MIN_GROWTH
        ]
        more_items.sort(key=lambda pair: -pair[0])
        more = Counter(type(item) for item in live) - self._types
        for kind in _CODE_TYPES:
            del more[kind]
        more_types = more.most_common(_MAX_ROWS)
        own |= {id(more_items), id(more_types)}
        containers = [
            RetainedObjects(_name(type(item)), growth, True, _holders([item], own))
            for growth, item in more_items[:_MAX_ROWS]
        ]
        types = [
            RetainedObjects(_name(kind), count, False, _holders(_newest(kind, live), own))
            for kind, count in more_types
            if count >= _MIN_GROWTH
        ]
        return (*containers, *types)


def _containers(live: list[object]) -> Iterator[Collection[object]]:
    """Yield the containers that are not short, those too that gc doesn't track.

    A dict of numbers and strings alone is one of these: what refers to it leads there.
    """
    seen: set[int] = set()
    for begin in range(0, len(live), _CHUNK):
        chunk = live[begin : begin + _CHUNK]
        for item in chunk:
            if isinstance(item, _CONTAINERS) and _is_followed(item):
                yield item
        for item in gc.get_referents(*chunk):
            if type(item) is dict and not gc.is_tracked(item) and _is_followed(item):
                if id(item) not in seen:
                    yield item
                seen.add(id(item))


def _is_followed(item: Collection[object]) -> bool:
    return type(item) in _CONTAINERS and len(item) >= _MIN_LENGTH


def _newest(kind: type, live: list[object]) -> list[object]:
    """Return a sample of the objects of ``kind``, from the half that was made last."""
    same = [item for item in live if type(item) is kind]
    later = same[len(same) // 2 :]
    return random.Random(0).sample(later, min(_SAMPLE, len(later)))  # noqa: S311 - no secret


def _holders(items: list[object], own: set[int]) -> tuple[str, ...]:
    """Describe what refers to ``items``: variables and attributes before mere types."""
    names = Counter(_holder_names(items, own | {id(items)}))
    ordered = sorted(names, key=lambda name: ("." not in name, -names[name], name))
    return tuple(ordered[:3])


def _holder_names(items: list[object], own: set[int], height: int = _HEIGHT) -> list[str]:
    """Return the names of what refers to ``items``.

    A container that no variable or attribute names has the names of what refers to it.
    """
    names: list[str] = []
    unnamed: list[object] = []
    # A call for all of them, as each looks through the whole heap.
    holders = gc.get_referrers(*items)
    for holder in holders:
        if id(holder) in own or isinstance(holder, FrameType):
            continue
        if isinstance(holder, tuple) and holder[-1:] and holder[-1] in items:
            continue  # a pair of this census
        if type(holder) is dict and (module := _module_of(holder)):
            names += [f"{module}.{name}" for name in _keys(holder, items)]
        elif attributes := list(_attributes(holder, items)):
            names += [f"{_name(type(holder))}.{name}" for name in attributes]
        elif type(holder) is _CACHE and "<" not in (of := _name(holder)):
            names.append(of)
        elif type(holder) in _UNNAMED and len(unnamed) < _SAMPLE:
            unnamed.append(holder)
        elif not isinstance(holder, ModuleType):
            names.append(_name(type(holder)))
    if unnamed and height:
        higher = _holder_names(unnamed, own | {id(holders), id(unnamed)}, height - 1)
        named = [name for name in higher if "." in name]
        return names + (named or [_name(type(holder)) for holder in unnamed])
    return names + [_name(type(holder)) for holder in unnamed]


def _module_of(namespace: dict[object, object]) -> str:
    name = namespace.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) else None
    return str(name) if module is not None and vars(module) is namespace else ""


def _attributes(holder: object, items: Iterable[object]) -> Iterator[str]:
    """Yield the names of the attributes of ``holder`` that are among ``items``."""
    with suppress(AttributeError, TypeError):  # it has slots alone, or is of C
        yield from map(str, _keys(object.__getattribute__(holder, "__dict__"), items))
    for kind in type(holder).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            value = getattr(holder, name, None)
            if any(value is item for item in items):
                yield name


def _keys(namespace: dict[object, object], items: Iterable[object]) -> list[object]:
    return [key for key, value in namespace.items() if any(value is item for item in items)]


def _name(kind: type | Callable[..., object]) -> str:
    is_plain = kind.__module__ in ("builtins", "collections")
    return kind.__qualname__ if is_plain else f"{kind.__module__}.{kind.__qualname__}"
