"""The passes of a run whose load is put on by shards."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from veperf.core.case import Case
from veperf.core.run import Config, Machine, Pass
from veperf.loadtest.remote.auth import draw_token
from veperf.loadtest.sharded.coordinator import put_load
from veperf.loadtest.sharded.handles import Place
from veperf.loadtest.sharded.messages import Load
from veperf.measure.machine import load_average
from veperf.measure.passes import Progress


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a load is put on, and what on."""

    place: Place
    """Of the processes that are started."""
    machine: Machine
    """The target's."""
    target: str = ""
    """The address of a target that runs already; where there is none, one is started."""
    token: str = field(default_factory=draw_token, repr=False)
    """That of the target that runs already, or any."""


@dataclass(slots=True)
class ShardedPasses:
    """Makes the passes of one run: of each case one load by ``config.load.shards`` shards."""

    config: Config
    modules: tuple[str, ...]
    cases: Sequence[Case]
    progress: Progress
    ground: Ground
    loops: dict[str, int] = field(default_factory=dict)
    """Always empty: a load has none."""

    def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Make the passes ``indices``, one after the other."""
        for index in indices:
            yield self._pass(index)

    def _pass(self, index: int) -> Pass:
        made = Pass(
            index=index,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=0,
            load_before=load_average(),
            load_after=0,
            frequency_mhz=None,
            steal_ratio=None,
            yardstick_ns=None,
            results=(),
        )
        began = time.monotonic()
        for case in self.cases:
            made = self._with(made, case)
        return replace(made, seconds=time.monotonic() - began)

    def _with(self, made: Pass, case: Case) -> Pass:
        """``made``, and ``case`` measured in it."""
        since = time.monotonic()
        self.progress.case_started(made.index, case)
        result, around = put_load(
            case.id,
            self._load(made.index, case),
            self.ground.place,
            lambda so_far: self.progress.load_ticked(made.index, case, so_far),
            target=self.ground.target,
        )
        result = replace(result, seconds=round(time.monotonic() - since, 4))
        self.progress.case_finished(made.index, case, result)
        made = replace(made, load_after=load_average(), results=(*made.results, result))
        if around is None:
            return made
        return replace(
            made,
            load_before=around.load_before,
            load_after=around.load_after,
            frequency_mhz=around.frequency_mhz,
            steal_ratio=around.steal_ratio,
            yardstick_ns=around.yardstick_ns,
        )

    def _load(self, index: int, case: Case) -> Load:
        config = self.config
        # Arrivals of its own in every pass, and the same ones when the run is repeated.
        chance = random.Random(f"{config.seed}/{index}/{case.id}")  # noqa: S311 - no secret
        return Load(
            benchmark=case.benchmark,
            params=case.params,
            modules=self.modules,
            plan=config.load,
            seed=chance.randrange(1 << 32),
            timeout_s=config.timeout_s,
            token=self.ground.token,
        )
