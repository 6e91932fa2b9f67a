"""`python -m tests.faults [--scale N] [--seed N] [CAMPAIGN ...]`, see the package."""

import argparse
import tempfile
import time
from pathlib import Path

from tests.faults.campaign import CAMPAIGNS


def main() -> None:
    """Run the campaigns that are named, or all, and print what came of each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("campaigns", nargs="*", choices=[[], *CAMPAIGNS])
    parser.add_argument("--scale", type=float, default=1.0, help="times the length of the tests")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in options.campaigns or CAMPAIGNS:
        campaign = CAMPAIGNS[name]
        count = max(1, round(campaign.trials * options.scale))
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="veperf-faults-") as folder:
            tally = campaign.run(Path(folder), options.seed, count)
        print(f"{tally} ({time.monotonic() - began:.0f} s, seed {options.seed})", flush=True)


if __name__ == "__main__":
    main()
