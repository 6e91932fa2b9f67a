"""Find out which workers of a scheduler fit, before they are given anything to measure.

A worker with another version of dask dies of the first task that it is sent, and one with another
veperf measures something else. Each is asked what it is, outside dask's tasks; one that does not
fit is named with the difference, and has its measuring resource withdrawn, so that dask gives it
nothing. It has it back when a client comes that it fits.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from veperf.cluster.installation import (
    Installation,
    describe_installation,
    installation_differences,
)
from veperf.cluster.sweep_plan import CLASS_PREFIX, WORKER_RESOURCE
from veperf.core.escape import one_line
from veperf.core.text import join_words

if TYPE_CHECKING:
    from distributed import Client

_Answer: TypeAlias = Installation | tuple[str, ...]
"""What a worker says that it is, or why it does not fit."""
_ANSWER_S = 15.0
_AT_ONCE = 64


class UnfitWorker(Struct, frozen=True):
    """A worker that gets nothing to measure."""

    address: str
    name: str
    machine_classes: frozenset[str]
    differences: tuple[str, ...]

    @property
    def description(self) -> str:
        """The worker and its differences, as people read them."""
        return f"{one_line(self.name)}: {one_line('; '.join(self.differences))}"


class Preflight:
    """The workers of a scheduler that were examined, over one connection."""

    def __init__(self, client: "Client", here: Installation | None = None) -> None:
        self._client = client
        self._here = here or describe_installation()
        self._machines: dict[str, tuple[str, str]] = {}
        """By machine class the machine and the name of the worker that was examined first."""
        self._examined: set[str] = set()
        self.unfit: dict[str, UnfitWorker] = {}
        """By address, of the workers that are there."""

    def examine(self) -> tuple[str, ...]:
        """Examine the workers that came since the last time; return what is to be said of them.

        Raises:
            OSError: the scheduler is gone.
        """
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        self._examined &= workers.keys()
        self.unfit = {
            address: worker for address, worker in self.unfit.items() if address in workers
        }
        new = {
            address: worker
            for address, worker in workers.items()
            if WORKER_RESOURCE in worker["resources"] and address not in self._examined
        }
        if not new:
            return ()
        answers = self._client.sync(_ask_all, self._client, tuple(new))
        return tuple(
            line
            for address, answer in sorted(answers.items())
            for line in self._judge(address, new[address], answer)
        )

    def reject(self, address: str, differences: Iterable[str]) -> UnfitWorker:
        """Take a worker out that does not fit."""
        worker = self._client.scheduler_info(n_workers=-1)["workers"].get(address, {})
        return self._reject(address, worker, tuple(differences))

    def _judge(self, address: str, worker: Mapping[str, Any], answer: _Answer) -> Iterable[str]:
        name = str(worker["name"])
        self._examined.add(address)
        if isinstance(answer, tuple):
            yield f"{self._reject(address, worker, answer).description} (gets no task)"
            return
        if differences := tuple(installation_differences(answer, self._here)):
            yield f"{self._reject(address, worker, differences).description} (gets no task)"
            return
        if not worker["resources"][WORKER_RESOURCE]:
            self._set_resource(address, 1)
        for machine_class in sorted(machine_classes(worker)):
            machine, first = self._machines.setdefault(machine_class, (answer.machine, name))
            if machine != answer.machine:
                yield (
                    f"machine class {machine_class} has two kinds of machine: {name} is "
                    f"{answer.machine}, {first} is {machine}"
                )

    def _reject(
        self, address: str, worker: Mapping[str, Any], differences: tuple[str, ...]
    ) -> UnfitWorker:
        self._set_resource(address, 0)
        name = str(worker.get("name", address))
        if name != address:
            name = f"{name} ({worker.get('host', address)})"
        unfit = UnfitWorker(address, name, machine_classes(worker), differences)
        self.unfit[address] = unfit
        return unfit

    def _set_resource(self, address: str, amount: int) -> None:
        resources = {WORKER_RESOURCE: amount}
        with suppress(KeyError):  # the worker is gone by now
            self._client.sync(
                self._client.scheduler.set_resources, worker=address, resources=resources
            )


def describe_worker() -> str:
    """Return the installation of the worker that calls this, as JSON."""
    return msgspec.json.encode(describe_installation()).decode()


def describe_unfit(unfit: Collection[UnfitWorker], machine_class: str = "") -> str:
    """Return the workers of a class that don't fit, in words; empty where there are none."""
    named = [
        w.description for w in unfit if not machine_class or machine_class in w.machine_classes
    ]
    return join_words(named)


def machine_classes(worker: Mapping[str, Any]) -> frozenset[str]:
    """Return the machine classes of a worker, of which the scheduler says this."""
    names = worker.get("resources", {})
    return frozenset(n.removeprefix(CLASS_PREFIX) for n in names if n.startswith(CLASS_PREFIX))


async def _ask_all(client: "Client", addresses: tuple[str, ...]) -> dict[str, _Answer]:
    """Return what each worker says: an ``Installation``, or why it does not fit.

    Asked by calls of their own, since one that is frozen must not hold the others up.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(address: str) -> Installation | str:
        async with gate:
            asking = client.run(describe_worker, workers=[address], on_error="return")
            try:
                return _decode_answer((await asyncio.wait_for(asking, _ANSWER_S)).get(address))
            except TimeoutError:
                return f"does not say what it is within {_ANSWER_S:g} s"

    answers = dict(zip(addresses, await asyncio.gather(*map(ask, addresses)), strict=True))
    reasons = {address: answer for address, answer in answers.items() if isinstance(answer, str)}
    spoken = {a: answer for a, answer in answers.items() if isinstance(answer, Installation)}
    return spoken | (await _dask_differences(client, reasons) if reasons else {})


async def _dask_differences(
    client: "Client", reasons: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return how workers that can't describe themselves differ as far as dask knows, and why."""
    try:
        versions = await asyncio.wait_for(client.get_versions(), _ANSWER_S)
    except TimeoutError:
        return {address: (reason,) for address, reason in reasons.items()}
    here = versions["client"]["packages"]
    differences = {}
    for address, reason in reasons.items():
        there = (versions["workers"].get(address) or {}).get("packages", {})
        packages = [name for name in ("python", "dask", "distributed") if name in there]
        differences[address] = (
            *(f"{n} {there[n]}, here {here[n]}" for n in packages if there[n] != here[n]),
            reason,
        )
    return differences


def _decode_answer(answer: object) -> Installation | str:
    if not isinstance(answer, str):
        return f"can't say what it is ({answer}); has it this veperf?"
    try:
        return msgspec.json.decode(answer, type=Installation)
    except msgspec.DecodeError as error:
        return f"says what it is in another way ({error})"
