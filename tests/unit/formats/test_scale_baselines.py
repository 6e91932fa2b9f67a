"""SCALE_BASELINES.json: limits with unit, direction and size, rules, and typed errors."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError
from veperf.core.objectives import DegradationRules, ScaleBaselines
from veperf.formats.scale_baselines import (
    is_scale_baselines,
    read_scale_baselines,
    scale_figures,
)
from veperf.formats.source import SourceFile

_DOCUMENT: dict[str, Any] = {
    "version": "1.0.0",
    "environment": {"target_validators": 1000, "target_orders": 500},
    "baselines": {
        "validator_operations": {
            "lookup_p95_ms": 10,
            "iteration_max_sec": 30,
            "memory_per_validator_bytes": 1024,
        },
        "marketplace_operations": {"order_iteration_rate": 100, "max_bids_per_order": 3},
        "state_sync": {"chunk_transfer_rate_mbps": 50, "state_apply_rate_entries_per_sec": 5},
        "network_partition": {"max_message_loss_rate": 0.01, "min_majority_availability": 0.99},
    },
    "degradation_thresholds": {"acceptable_factor": 2, "warning_factor": 5, "critical_factor": 10},
    "scaling_recommendations": {"10_validators": {"notes": "no limit"}},
}


def _read(document: object) -> ScaleBaselines:
    return read_scale_baselines(SourceFile(json.dumps(document).encode(), "scale.json"))


def test_limits_have_unit_direction_and_size() -> None:
    """By their names and their section's size; what a load is made with is no limit."""
    baselines = _read(_DOCUMENT)

    assert DegradationRules(2, 5, 10) == baselines.rules
    assert [
        ("validator_operations/lookup_p95_ms", "ms", "lower", 1000),
        ("validator_operations/iteration_max_sec", "s", "lower", 1000),
        ("validator_operations/memory_per_validator_bytes", "B", "lower", 1000),
        ("marketplace_operations/order_iteration_rate", "1/s", "higher", 500),
        ("state_sync/chunk_transfer_rate_mbps", "MB/s", "higher", None),
        ("state_sync/state_apply_rate_entries_per_sec", "1/s", "higher", None),
        ("network_partition/max_message_loss_rate", "1", "lower", None),
        ("network_partition/min_majority_availability", "1", "higher", None),
    ] == [(i.target.id, i.target.unit, i.target.better, i.size) for i in baselines.limits]


def test_every_figure_counts_for_drift() -> None:
    """Sizes, factors and limits, by their places."""
    source = SourceFile(json.dumps(_DOCUMENT).encode(), "scale.json")

    assert is_scale_baselines(source)
    assert 2 + 3 + 9 == len(scale_figures(source))
    assert 30 == scale_figures(source)["baselines.validator_operations.iteration_max_sec"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"baselines": []}, "baselines is missing, or no object"),
        ({"baselines": {}}, "no limits"),
        ({"baselines": {"a": 3}}, "no object"),
        ({"baselines": {"a": {"b_ms": "3"}}}, "no positive number"),
        ({"baselines": {"a": {"b_ms": True}}}, "no positive number"),
        ({"baselines": {"a": {"b_ms": 0}}}, "no positive number"),
        ({"baselines": {"a": {"b_ms": 10**400}}}, "no positive number"),
        ({"degradation_thresholds": {}}, "unexpected content"),
        (
            {
                "degradation_thresholds": {
                    "acceptable_factor": 5,
                    "warning_factor": 2,
                    "critical_factor": 10,
                }
            },
            "must rise",
        ),
        ({"environment": 3}, "no object"),
    ],
)
def test_damaged_files(changes: dict[str, object], problem: str) -> None:
    """A typed error that names the file."""
    problem = problem.replace("no positive", "not a positive")
    with pytest.raises(CorruptFileError, match=problem) as error:
        _read(_DOCUMENT | changes)

    assert str(error.value).startswith("scale.json")


@settings(max_examples=30, deadline=None)
@given(st.recursive(st.none() | st.floats() | st.text(), lambda x: st.dictionaries(st.text(), x)))
def test_any_json(document: object) -> None:
    """Whatever it is, it is read or refused."""
    for wrapped in (document, _DOCUMENT | {"baselines": document}):
        try:
            _read(wrapped)
        except CorruptFileError:
            continue
