"""The published mapping and record fit each other, the targets and the benchmarks."""

from tests.support.helpers import TARGETS
from veperf.archive.baselines import load_targets
from veperf.core.registry import MEMORY_SUITE, SUITES, load_registry, matching_cases
from veperf.formats.source import load_source
from veperf.formats.virtengine import load_go_benchmarks, published_figures
from veperf.upstream.check import is_mapped
from veperf.upstream.record import answering_functions, load_record

_PAIR = ("target_tps", "min_acceptable_tps")


def test_counterparts_exist() -> None:
    """Each names a function that is listed, and a benchmark that is registered."""
    mapping = load_go_benchmarks(TARGETS)
    registry = load_registry([*SUITES.values(), MEMORY_SUITE])
    registered = {case.benchmark for case in matching_cases(registry, ["*"])}

    for package, functions in mapping.counterparts.items():
        assert functions.keys() <= mapping.packages[package].keys(), package
        assert set(functions.values()) <= registered, package


def test_every_function_of_the_recorded_revision_is_listed() -> None:
    """151 benchmark functions; the record has the same ones as the mapping."""
    mapping, record = load_go_benchmarks(TARGETS), load_record(TARGETS)
    listed = {p: set(names) for p, names in mapping.packages.items()}

    assert listed == {p: set(names) for p, names in record.benchmarks.packages.items()}
    assert 151 == sum(map(len, listed.values()))
    assert mapping.module == record.module
    assert is_mapped(mapping, "tests/benchmark", "BenchmarkStateWrite")
    assert not is_mapped(mapping, "pkg/cache", "BenchmarkMemoryCache_Get")


def test_every_target_names_its_revision() -> None:
    """And where a Go function answers it, the record has the functions behind it there."""
    mapping, record = load_go_benchmarks(TARGETS), load_record(TARGETS)
    targets = load_targets(TARGETS).targets

    assert 43 == len(targets)
    assert {40} == {len(target.revision) for target in targets}
    answered = {t.id: t.revision for t in targets if answering_functions(mapping, t.id)}
    assert answered == {id: record.targets[id].revision for id in record.targets}
    assert all(record.targets[id].named for id in answered)


def test_every_field_of_the_baselines_is_a_target() -> None:
    """The figures that targets were made from are those of BASELINE_METRICS.json."""
    figures = published_figures(load_source(TARGETS / "targets.json"))

    assert {"transaction/throughput"} == {figures[f"transaction.{f}"][0] for f in _PAIR}
    assert [10_000, 5_000] == [figures[f"transaction.{field}"][1] for field in _PAIR]
    assert 44 == len(figures)
