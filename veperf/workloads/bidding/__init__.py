"""A provider daemon's bidding: orders matched, priced exactly, signed and submitted.

Nothing is handed on here, so that a part can be had without importing all of them: ``orders`` and
``providers`` for the data, ``decimals`` and ``pricing`` for money, ``table`` and ``matching`` for
one order against many providers, ``signing``, ``rate_limit``, ``queue`` and ``checkpoint`` for
what they say, ``engine`` and ``daemon`` for all of it together, ``sample`` for examples.

The best of a hundred providers' offers, and an engine that bids on what is announced:

>>> from veperf.workloads.bidding import sample
>>> from veperf.workloads.bidding.engine import Engine, Settings
>>> from veperf.workloads.bidding.bid_store import Ledger
>>> from veperf.workloads.bidding.matching import rank
>>> from veperf.workloads.bidding.rate_limit import RateLimiter
>>> from veperf.workloads.bidding.table import ProviderTable
>>> table, ledger = ProviderTable(sample.providers(100)), Ledger(sample.CHAIN_ID)
>>> rank(table, sample.order(1), sample.NOW_NS)[0]
Quote(price_atto=1927561994608099961, provider='ve1provider000033')
>>> limiter = RateLimiter(per_minute=60, per_hour=1_000)
>>> engine = Engine(Settings(sample.CHAIN_ID), table, sample.signer(), ledger, limiter)
>>> decision = engine.handle(next(sample.events()))
>>> decision.outcome.value, decision.bid in ledger.bids()
('bid placed', True)
"""
