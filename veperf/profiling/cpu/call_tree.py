"""Sampled stacks, and the call tree that they form."""

import linecache
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct


class Frame(Struct, frozen=True):
    """A function."""

    name: str
    """Name, qualified within its module."""
    module: str
    file: str


class Stack(Struct, frozen=True):
    """A stack of functions, the outermost first, and the number of samples that found it."""

    frames: tuple[Frame, ...]
    line: int
    """Current line of the innermost function."""
    samples: int


class CpuSamples(Struct, frozen=True):
    """The stacks that were sampled during a number of calls."""

    stacks: tuple[Stack, ...]
    calls: int
    cpu_s: float
    """CPU time of all calls together, on all threads."""

    @property
    def samples(self) -> int:
        """Number of samples."""
        return sum(stack.samples for stack in self.stacks)


@dataclass(slots=True)
class CallNode:
    """A function as called by those above it in the call tree."""

    frame: Frame | None
    """None for the root, the call itself."""
    samples: int = 0
    """Samples of the function and of all that it called."""
    called: "dict[Frame, CallNode]" = field(default_factory=dict)

    def ordered(self) -> "list[CallNode]":
        """Return the functions that it called, the largest first; equal ones by name."""
        return sorted(self.called.values(), key=lambda node: (-node.samples, str(node.frame)))


def call_tree(stacks: Iterable[Stack]) -> CallNode:
    """Return the call tree of ``stacks``, from the outermost function down."""
    root = CallNode(None)
    for stack in stacks:
        node = root
        node.samples += stack.samples
        for frame in stack.frames:
            node = node.called.setdefault(frame, CallNode(frame))
            node.samples += stack.samples
    return root


class FunctionShare(Struct, frozen=True):
    """A function's share of the CPU time."""

    frame: Frame
    own: int
    """Samples in which the function itself ran, or C code that it called."""
    total: int
    """Samples with the function anywhere on the stack; counted once if it calls itself."""


def function_shares(stacks: Iterable[Stack]) -> tuple[FunctionShare, ...]:
    """Return the share of each function, the one with the most samples of its own first."""
    own: dict[Frame, int] = {}
    total: dict[Frame, int] = {}
    for stack in stacks:
        for frame in set(stack.frames):
            total[frame] = total.get(frame, 0) + stack.samples
        if stack.frames:
            own[stack.frames[-1]] = own.get(stack.frames[-1], 0) + stack.samples
    shares = [FunctionShare(frame, own.get(frame, 0), samples) for frame, samples in total.items()]
    return tuple(sorted(shares, key=lambda s: (-s.own, -s.total, s.frame.module, s.frame.name)))


def line_samples(stacks: Iterable[Stack]) -> Iterator[tuple[Frame, int, int]]:
    """Yield each line that was sampled, with its number and its samples, the most first."""
    counts: dict[tuple[Frame, int], int] = {}
    for stack in stacks:
        if stack.frames:
            key = stack.frames[-1], stack.line
            counts[key] = counts.get(key, 0) + stack.samples
    for (frame, line), samples in sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))):
        yield frame, line, samples


def source_line(frame: Frame, line: int) -> str:
    """Return a line of ``frame``'s file as it is now; empty if it can't be read."""
    return linecache.getline(frame.file, line).strip()
