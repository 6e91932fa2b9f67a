"""A provider daemon's bidding: orders matched, priced exactly, signed and submitted.

Nothing is exported here, so that a part can be imported without all others: ``orders`` and
``providers`` for the data, ``decimals`` and ``pricing`` for money, ``table`` and ``matching`` for
one order against many providers, ``bids`` for signed bids, ``rate_limit`` and ``checkpoint`` as
named, ``engine`` and ``daemon`` for all of it together, ``example_data`` for examples. A daemon
bids for one provider as deployed (``example_data.daemon_providers``), or for many.

Find the best of a hundred providers' quotes, and let an engine bid on announced orders:

>>> from veperf.workloads.bidding import example_data
>>> from veperf.workloads.bidding.engine import BidEngine, EngineSettings
>>> from veperf.workloads.bidding.bids import BidStore
>>> from veperf.workloads.bidding.matching import rank_quotes
>>> from veperf.workloads.bidding.rate_limit import RateLimiter
>>> from veperf.workloads.bidding.table import ProviderTable
>>> table, store = ProviderTable(example_data.providers(100)), BidStore(example_data.CHAIN_ID)
>>> rank_quotes(table, example_data.order(1), example_data.NOW_NS)[0]
Quote(price_atto=1927561994608099961, provider='ve1provider000033')
>>> limiter = RateLimiter(per_minute=60, per_hour=1_000)
>>> settings, signer = EngineSettings(example_data.CHAIN_ID), example_data.daemon_signer()
>>> engine = BidEngine(settings, table, signer, store, limiter)
>>> decision = engine.handle(next(example_data.order_events()))
>>> decision.outcome.value, decision.bid in store.bids()
('bid placed', True)
"""
