"""The benchmarks of the example archive whose work the environment makes more from run to run.

What is planted in them is what the pages of the example are to show: a step and a drift.
"""

import os
from random import Random

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark

GROWN, TWICE = "EXAMPLE_GROWN_PERCENT", "EXAMPLE_TWICE"
_PENDING, _PRICES = 400, 300


@benchmark("example/pending", level=Level.COMPONENT)
def order_pending() -> Task:
    """Order what is pending by fee and age; there is a little more of it in each run."""
    dice = Random(1)
    count = round(_PENDING * (1 + float(os.environ.get(GROWN, "0")) / 100))
    pending = [(dice.randrange(1_000), age) for age in range(count)]
    return Task(lambda: sorted(pending, key=lambda entry: (-entry[0], entry[1])))


@benchmark("example/quote", level=Level.MICRO)
def quote_prices() -> Task:
    """Sum up prices by provider; in the last runs a second time, for nothing."""
    prices = [(number % 7, 100 + number) for number in range(_PRICES)]
    times = 2 if TWICE in os.environ else 1

    def call() -> dict[int, int]:
        for _ in range(times):
            sums: dict[int, int] = {}
            for provider, price in prices:
                sums[provider] = sums.get(provider, 0) + price
        return sums

    return Task(call)
