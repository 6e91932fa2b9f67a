"""Which cases a benchmark has, and which of them a pattern means."""

import pytest

from veperf.core.case import Level
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.registry import Benchmark, Registry, Task, load_registry, matching_cases


def setup(size: int = 0, kind: str = "") -> Task:
    """Nothing much.

    More words.
    """
    return Task(lambda: None)


def registry() -> Registry:
    actual = Registry()
    sizes = {"size": (1_000, 10, 1_000_000), "kind": ("a", "b")}
    targets = {"time": "demo/curve"}
    actual.add(
        Benchmark("demo/curve", Level.MICRO, setup, sizes, targets, (), False, "demo/plain",
                  slow=("size=1000000",))
    )  # fmt: skip
    actual.add(Benchmark("demo/plain", Level.MICRO, setup, {}, {}, (), False))
    actual.add(Benchmark("other/search", Level.LOAD, setup, {}, {}, (), False, slow=("*",)))
    return actual


def ids(*patterns: str, quick: bool = False) -> list[str]:
    return [case.id for case in matching_cases(registry(), patterns, quick=quick)]


def test_each_value_that_is_not_the_default_makes_a_case():
    """The default case has the bare id, targets and lower bound; the others what differs."""
    default, *others = registry().benchmarks["demo/curve"].cases()

    assert ("demo/curve", {"size": 1_000, "kind": "a"}) == (default.id, default.params)
    assert ("Nothing much.", "demo") == (default.what, default.suite)
    assert ({"time": "demo/curve"}, "demo/plain") == (default.targets, default.lower_bound)
    assert [
        ("demo/curve[size=10]", {"size": 10, "kind": "a"}, {}, ""),
        ("demo/curve[size=1000000]", {"size": 1_000_000, "kind": "a"}, {}, ""),
        ("demo/curve[kind=b]", {"size": 1_000, "kind": "b"}, {}, ""),
    ] == [(c.id, c.params, c.targets, c.lower_bound) for c in others]


def test_a_pattern_is_a_suite_a_benchmark_a_case_or_a_glob():
    """Whatever matches, the order is that of registration; no pattern means everything."""
    assert 6 == len(ids())
    assert ["other/search"] == ids("other")
    assert 4 == len(ids("demo/curve"))
    assert ["demo/curve[kind=b]"] == ids("demo/curve[kind=b]")
    assert ["demo/plain", "other/search"] == ids("other/*", "*/plain")


def test_a_users_suite_is_measured_whatever_its_name():
    """It is no named suite, though it has the name of one."""
    actual = Registry()
    actual.add(Benchmark("market/mine", Level.MICRO, setup, {}, {}, (), False))

    assert ["market/mine"] == [case.id for case in matching_cases(actual)]


def test_quick_leaves_slow_cases_out_unless_they_are_named():
    """A suite or glob means the quick cases; a benchmark's or a case's own name means it."""
    quick = ["demo/curve", "demo/curve[size=10]", "demo/curve[kind=b]", "demo/plain"]
    assert quick == ids(quick=True)
    assert quick == ids("demo", "*/*", quick=True)
    assert "demo/curve[size=1000000]" in ids("demo/curve", quick=True)
    assert ["demo/curve[size=1000000]"] == ids("demo/curve[size=1000000]", quick=True)
    assert ["other/search"] == ids("other/search", quick=True)


def test_what_is_not_there_is_an_error_that_helps():
    """Names that contain what was typed come first, then those that look like it."""
    with pytest.raises(UnknownBenchmarkError, match="did you mean demo/curve"):
        ids("demo/cur")
    with pytest.raises(UnknownBenchmarkError, match="did you mean demo/plain"):
        ids("demo/plian")
    with pytest.raises(UnknownBenchmarkError, match="has kind=a, kind=b, size=10, size=1000, "):
        matching_cases(registry(), ["demo/curve[size=7]"])
    with pytest.raises(UnknownBenchmarkError, match="demo/plain has no parameters"):
        matching_cases(registry(), ["demo/plain[size=7]"])
    with pytest.raises(UnknownBenchmarkError, match="`veperf list` shows them all"):
        ids("zzz")
    with pytest.raises(UsageError, match="nowhere can't be imported"):
        load_registry(["nowhere"])


def test_an_id_is_taken_once():
    """A second function under the same id is refused; importing the same one again is not."""
    actual = registry()
    actual.add(Benchmark("demo/plain", Level.MICRO, setup, {}, {}, (), False))

    def another() -> Task:
        return Task(lambda: None)

    with pytest.raises(UsageError, match="demo/plain is registered twice"):
        actual.add(Benchmark("demo/plain", Level.MICRO, another, {}, {}, (), False))
