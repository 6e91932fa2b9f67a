"""Time budget of a run: what each pass measures, so that most targets are answered in time.

A target needs 3 processes. So the time goes first to 3 processes of each case with a target, then
to 3 of each other case, points of curves last; the cheapest come first in each of these groups, and
what is left over goes to further processes. The plan is made anew before each pass, from what the
cases took: in this run, or else in earlier ones; else a rough guess by level stands until the first
pass has measured them. No pass takes more than its share of the time left.

Choosing reads durations alone, never the values: it can't favour a result.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from veperf.core.case import MEMORY_NAMES, Case, Level
from veperf.core.run import Pass, Run
from veperf.core.sustained_rate import THROUGHPUT
from veperf.core.target import MIN_PROCESSES
from veperf.core.text import abbreviate_names, format_duration, plural
from veperf.progress.estimate import Job

_MARGIN = 0.95
"""Share of the time left that is planned: cases don't take exactly what they took before."""
_CHEAP = 0.01
"""Share of the time left that hardly counts."""
_PASS_S = 1.5
"""Assumed time of a pass beside its cases, before one was seen."""
_ASSUMED_S = {Level.MICRO: 0.15, Level.COMPONENT: 0.3, Level.INTEGRATION: 0.6}
_ASSUMED_MEMORY_S = 1.5


class PassBudget:
    """Chooses the cases of each pass by their durations and the time left.

    ``earlier`` has durations in earlier runs, in seconds; the time of ``passes``, which are made
    already, is spent. ``clock`` returns seconds that only grow.
    """

    def __init__(
        self,
        run: Run,
        earlier: Mapping[Job, float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert run.config.time_budget_s is not None, "the run has a budget"
        self._budget_s = run.config.time_budget_s
        self._config = run.config
        self._cases = run.cases
        self._clock = clock
        self._known = dict(earlier)
        self._is_known = bool(earlier)
        self._done: dict[Job, int] = {}
        self._decided: set[str] = set()  # searches that are over
        self._pass_s = _PASS_S
        for pass_ in run.passes:
            self.add(pass_)
        self._began = self._pass_began = clock() - sum(pass_.seconds for pass_ in run.passes)
        self._allowance_s = 0.0
        self._next = 0
        self._is_begun = False  # the current pass

    @property
    def left_s(self) -> float:
        """Seconds left; negative when the budget is overdrawn."""
        return self._budget_s - (self._clock() - self._began)

    def choose(self, index: int, cases: Sequence[Case]) -> list[Case]:
        """Return those of ``cases`` that pass ``index`` is to measure, in order of urgency."""
        self._next = index
        self._pass_began, self._is_begun = self._clock(), False
        is_memory = index >= self._config.timed_passes
        self._decided |= {c.id for c in self._cases if _is_search(c)} - {c.id for c in cases}
        kept, needed_s = self._plan()
        jobs = {(case.id, is_memory): case for case in cases}
        chosen = kept & jobs.keys()
        left_s = _MARGIN * self.left_s - needed_s - (0.0 if chosen else self._pass_s)
        # Points of curves answer nothing: they get more only where they were asked for.
        done = [
            (job, case)
            for job, case in jobs.items()
            if self._is_enough(case, job) and (self._config.select or not case.is_curve_point)
        ]
        for job, case in sorted(done, key=lambda item: self._urgency(*item)):
            left_s -= self._cost(job, case)
            if left_s < 0:
                break
            chosen.add(job)
        if not kept and not self._done:  # too little for anything: as far as the time goes
            chosen = set(jobs)
        self._allowance_s = self._share(index, kept)
        ordered = sorted(jobs, key=lambda job: self._place(job, jobs[job]))
        return [jobs[job] for job in ordered if job in chosen]

    def allows(self, index: int, case: Case) -> bool:
        """Return whether there is time for ``case`` in pass ``index``; for one there always is.

        So there is, before the very end, for what is known to take next to none.
        """
        job = case.id, index >= self._config.timed_passes
        spent_s = self._clock() - self._pass_began
        is_first, self._is_begun = not self._is_begun, True
        cost_s = self._cost(job, case)
        is_cheap = job in self._known and cost_s <= _CHEAP * self.left_s
        return is_first or is_cheap or spent_s + cost_s <= self._allowance_s

    def add(self, pass_: Pass) -> None:
        """Add what a finished pass took."""
        is_memory = pass_.index >= self._config.timed_passes
        for result in pass_.results:
            job = result.case, is_memory
            self._done[job] = self._done.get(job, 0) + 1
            if result.seconds is not None:
                self._known[job] = result.seconds
        of_cases_s = sum(result.seconds or 0.0 for result in pass_.results)
        self._pass_s = max(0.0, pass_.seconds - of_cases_s)

    def describe_plan(self) -> str:
        """Return the plan in words: what fits, what is left out, and from what that is known."""
        kept, needed_s = self._plan()
        fitting = {id for id, _ in kept}
        out = [case for case in self._cases if case.id not in fitting]
        source = "by earlier runs" if self._is_known else "roughly: the first pass tells more"
        timed = self._config.timed_passes or self._config.memory_passes
        processes = plural(min(MIN_PROCESSES, timed), "process", "processes")
        budget = f"budget of {format_duration(self._budget_s, digits=2)}"
        if not kept and not self._done:
            words = f"{processes} of any case take longer ({source})"
            return f"{budget}: {words}; as much is measured as the time allows"
        planned = (
            f"{budget}: {processes} of {len(fitting):,} of {plural(len(self._cases), 'case')} "
            f"take about {format_duration(needed_s, digits=2)} ({source})"
        )
        return f"{planned}; {_describe_left_out(out)}" if out else f"{planned}; nothing is left out"

    def conclude(self, run: Run) -> Run:
        """Return ``run`` as it was made: its passes and cases alone, and a note on the others."""
        timed = [pass_ for pass_ in run.passes if pass_.index < run.config.timed_passes]
        memory = run.passes[len(timed) :]
        passes = tuple(replace(p, index=i) for i, p in enumerate((*timed, *memory)))
        cases = {case.id: self._as_measured(case) for case in run.cases}
        left_out = {
            case.id: targets
            for case in run.cases
            if (targets := _targets_but(case, cases[case.id]))
        }
        few = [
            case.id
            for case in run.cases
            for job in self._jobs(case)
            if self._done.get(job, 0) and not self._is_enough(case, job)
        ]
        words = [
            f"a budget of {format_duration(self._budget_s, digits=2)}, of which "
            f"{format_duration(max(0.0, self._budget_s - self.left_s), digits=2)} were used"
        ]
        if out := [case for case in run.cases if not cases[case.id]]:
            words.append(_describe_left_out(out))
        if few:
            words.append(
                f"fewer than {MIN_PROCESSES} processes of {abbreviate_names([*dict.fromkeys(few)])}"
            )
        return replace(
            run,
            cases=tuple(case for case in cases.values() if case is not None),
            passes=passes,
            config=replace(run.config, passes=len(passes), memory_passes=len(memory)),
            notes=(*run.notes, "; ".join(words)),
            left_out=run.left_out | left_out,
        )

    def _as_measured(self, case: Case) -> Case | None:
        """Return ``case`` with those of its metrics that were measured; None where none was."""
        jobs = self._jobs(case)
        measured = {is_memory for id, is_memory in jobs if self._done.get((id, is_memory))}
        if len(measured) == len(jobs) or not measured:
            return case if measured else None
        return replace(
            case,
            metrics=tuple(m for m in case.metrics if (m.name in MEMORY_NAMES) in measured),
            targets={m: t for m, t in case.targets.items() if (m in MEMORY_NAMES) in measured},
        )

    def _plan(self) -> tuple[set[Job], float]:
        """Return what gets enough processes in the time left, and the time that it takes."""
        left_s, needed_s = _MARGIN * self.left_s, 0.0
        kept: set[Job] = set()
        passes = {False: 0, True: 0}
        jobs = [(job, case) for case in self._cases for job in self._jobs(case)]
        for job, case in sorted(jobs, key=lambda item: self._urgency(*item)):
            missing = self._least(case, job) - self._done.get(job, 0)
            if self._is_enough(case, job) or missing > self._passes_left(case, job):
                continue
            more = max(0, missing - passes[job[1]])
            takes_s = missing * self._cost(job, case) + more * self._pass_s
            if needed_s + takes_s <= left_s:
                needed_s += takes_s
                passes[job[1]] += more
                kept.add(job)
        return kept, needed_s

    def _share(self, index: int, kept: Iterable[Job]) -> float:
        """Return the seconds that pass ``index`` may take, so that others get as much."""
        cases = {case.id: case for case in self._cases}
        is_memory = index >= self._config.timed_passes
        missing, later_s = 1, 0.0
        for job in kept:
            times = self._least(cases[job[0]], job) - self._done.get(job, 0)
            if job[1] == is_memory:
                missing = max(missing, times)
            elif not is_memory:
                later_s += times * self._cost(job, cases[job[0]])
        return max(0.0, self.left_s - later_s) / missing

    def _jobs(self, case: Case) -> list[Job]:
        is_timed = case.level is Level.LOAD or case.is_timed
        is_counted = case.is_counted and self._config.memory_passes > 0
        return [(case.id, False)] * is_timed + [(case.id, True)] * is_counted

    def _is_enough(self, case: Case, job: Job) -> bool:
        return case.id in self._decided or self._done.get(job, 0) >= self._least(case, job)

    def _least(self, case: Case, job: Job) -> int:
        """Return the number of processes that are enough."""
        if job[1]:
            return 1 if case.is_exact else min(MIN_PROCESSES, self._config.memory_passes)
        return min(MIN_PROCESSES, self._most(case, job))

    def _most(self, case: Case, job: Job) -> int:
        """Return the number of passes, the first ones of their kind, that can measure it."""
        if job[1]:
            return 1 if case.is_exact else self._config.memory_passes
        is_load = case.level is Level.LOAD
        return self._config.load_passes if is_load else self._config.timed_passes

    def _passes_left(self, case: Case, job: Job) -> int:
        begun = max(0, self._next - (self._config.timed_passes if job[1] else 0))
        return max(0, self._most(case, job) - begun)

    def _urgency(self, job: Job, case: Case) -> tuple[int, float]:
        """Return the group of ``job``, the most urgent first, and its place in the group."""
        group = 0 if _answers_target(case, job) else 2 if case.is_curve_point else 1
        return group, self._least(case, job) * self._cost(job, case)

    def _place(self, job: Job, case: Case) -> tuple[int, float]:
        """Return the place of ``job`` in a pass: what may turn out dear comes late in its group."""
        group, _ = self._urgency(job, case)
        return group, 0.0 if job in self._known else self._cost(job, case)

    def _cost(self, job: Job, case: Case) -> float:
        """Return the seconds that a process takes for ``job``, to the best of what is known."""
        if job in self._known:
            return self._known[job]
        if job[1]:
            return _ASSUMED_MEMORY_S
        if case.level is not Level.LOAD:
            return _ASSUMED_S[case.level]
        plan = self._config.load
        seconds = plan.backlog_s + plan.confirm_s if _is_search(case) else plan.seconds
        return plan.warmup_s + seconds + 1.0


def _is_search(case: Case) -> bool:
    return any(metric.name == THROUGHPUT for metric in case.metrics)


def _answers_target(case: Case, job: Job) -> bool:
    if case.level is Level.LOAD or not case.is_timed:
        return bool(case.targets)
    return any((metric in MEMORY_NAMES) == job[1] for metric in case.targets)


def _targets_but(case: Case, measured: Case | None) -> tuple[str, ...]:
    """Return the targets of ``case`` that it answers no more as it was ``measured``."""
    kept = measured.targets if measured else {}
    return tuple(target for metric, target in case.targets.items() if metric not in kept)


def _describe_left_out(cases: Sequence[Case]) -> str:
    """Return words for ``cases`` that the time was too short for, those with targets by name."""
    targets = [case.id for case in cases if case.targets]
    words = f"{plural(len(cases), 'case')} left out, as the time is too short"
    if targets:
        words += f", {len(targets):,} with targets, which are not measured: "
        return words + abbreviate_names(targets)
    return f"{words}: {abbreviate_names([case.id for case in cases])}"
