"""A short fault campaign of each kind."""

from pathlib import Path

import pytest

from tests.faults.campaign import CAMPAIGNS


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(name for name in CAMPAIGNS if CAMPAIGNS[name].trials))
def test_no_fault_loses_halves_or_falsifies_anything(tmp_path: Path, name: str):
    """Killed, full, read-only, flipped, set back, crowded: all there, or a typed error."""
    campaign = CAMPAIGNS[name]

    tally = campaign.run(tmp_path, 7, campaign.trials)

    assert tally.outcomes.total() >= campaign.trials
