"""Benchmarks in each of the cores, native and Python's own, that can run here."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from veperf._native.core import CORES, use_core

_Task = TypeVar("_Task")
"""The registry's, which only the benchmarks' own modules know."""
OTHER_CORES = tuple(f"core={core}" for core in CORES[1:])
"""The values of a parameter ``core`` that run only when they are named."""


def in_core(core: str, setup_task: Callable[[], _Task]) -> _Task:
    """Return the task of ``setup_task``, which, as each of its calls, runs in the core named.

    In the default core nothing is added to a call.
    """
    if core == CORES[0]:
        return setup_task()

    def within(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with use_core(core):
                return function(*arguments)

        return call

    task = within(setup_task)()
    stages = {name: within(stage) for name, stage in task.stages.items()}
    in_that_core: _Task = replace(task, call=within(task.call), stages=stages)
    return in_that_core
