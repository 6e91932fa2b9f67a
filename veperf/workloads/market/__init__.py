"""The market's part of a chain's state: orders, bids and leases, as VirtEngine's x/market keeps it.

Nothing is exported here, so that a part can be imported without all others: ``records`` and
``codec`` for what is stored, ``keys`` for where, ``keeper`` for what transactions do with it,
``pages`` for queries, ``example_data`` for markets of any size.

A tenant orders, two providers bid, the cheaper one gets the lease:

>>> from veperf.workloads.market import example_data, keeper
>>> from veperf.workloads.market.pages import OrderFilter, query_orders
>>> from veperf.workloads.market.records import BidId, GroupId, OrderState
>>> from veperf.workloads.transaction.iavl import Tree
>>> state, tenant = Tree(), example_data.tenant(0)
>>> order = keeper.create_order(state, GroupId(tenant, 7, 1), example_data.spec(0), height=1)
>>> for number, cents in ((0, 90), (1, 80)):
...     bid_id = BidId.for_order(order.id, example_data.provider(number))
...     bid = keeper.create_bid(state, bid_id, example_data.price(cents), (), height=2)
>>> lease = keeper.create_lease(state, keeper.lowest_bid(state, order.id).id, height=3)
>>> lease.id.provider == example_data.provider(1)
True
>>> keeper.has_active_leases(state, example_data.provider(0))
False
>>> [order.state.name for order in query_orders(state, OrderFilter(owner=tenant)).items]
['ACTIVE']
>>> query_orders(state, OrderFilter(owner=tenant, state=OrderState.OPEN)).items
()
"""
