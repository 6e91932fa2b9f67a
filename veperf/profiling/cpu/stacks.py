"""Stacks as they were found, and the tree that they make together."""

import linecache
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct


class Frame(Struct, frozen=True):
    """A function."""

    name: str
    """Qualified within its module."""
    module: str
    file: str


class Stack(Struct, frozen=True):
    """Who called whom when somebody looked, the outermost first, and how often."""

    frames: tuple[Frame, ...]
    line: int
    """Of the innermost function, where it was."""
    samples: int


class Sampled(Struct, frozen=True):
    """What was found by looking at a stretch of calls."""

    stacks: tuple[Stack, ...]
    calls: int
    cpu_s: float
    """CPU time of all of them together, on all threads."""

    @property
    def samples(self) -> int:
        """How often somebody looked."""
        return sum(stack.samples for stack in self.stacks)


@dataclass(slots=True)
class Node:
    """A function as called by those above it."""

    frame: Frame | None
    """None for the call itself, above all of them."""
    samples: int = 0
    """Of the function and of all that it called."""
    called: "dict[Frame, Node]" = field(default_factory=dict)

    def ordered(self) -> "list[Node]":
        """What it called, the largest first; by name where they are equal."""
        return sorted(self.called.values(), key=lambda node: (-node.samples, str(node.frame)))


def tree(stacks: Iterable[Stack]) -> Node:
    """All ``stacks`` laid over one another, from the outermost function down."""
    root = Node(None)
    for stack in stacks:
        node = root
        node.samples += stack.samples
        for frame in stack.frames:
            node = node.called.setdefault(frame, Node(frame))
            node.samples += stack.samples
    return root


class Share(Struct, frozen=True):
    """A function's part of the time."""

    frame: Frame
    own: int
    """Samples that found the function itself at work, or C code that it called."""
    total: int
    """Samples that found it anywhere on the stack; once each, also where it calls itself."""


def functions(stacks: Iterable[Stack]) -> tuple[Share, ...]:
    """Each function once, the one with the most samples of its own first."""
    own: dict[Frame, int] = {}
    total: dict[Frame, int] = {}
    for stack in stacks:
        for frame in set(stack.frames):
            total[frame] = total.get(frame, 0) + stack.samples
        if stack.frames:
            own[stack.frames[-1]] = own.get(stack.frames[-1], 0) + stack.samples
    shares = [Share(frame, own.get(frame, 0), samples) for frame, samples in total.items()]
    return tuple(sorted(shares, key=lambda s: (-s.own, -s.total, s.frame.module, s.frame.name)))


def lines(stacks: Iterable[Stack]) -> Iterator[tuple[Frame, int, int]]:
    """Each line that was found at work, with its number and its samples, the most first."""
    found: dict[tuple[Frame, int], int] = {}
    for stack in stacks:
        if stack.frames:
            key = stack.frames[-1], stack.line
            found[key] = found.get(key, 0) + stack.samples
    for (frame, line), samples in sorted(found.items(), key=lambda item: (-item[1], str(item[0]))):
        yield frame, line, samples


def source(frame: Frame, line: int) -> str:
    """The text of a line of ``frame``'s file as it is now; empty where that can't be read."""
    return linecache.getline(frame.file, line).strip()
