"""A provider daemon's bidding: orders matched, priced exactly, signed and submitted.

Nothing is handed on here, so that a part can be had without importing all of them: ``orders`` and
``providers`` for the data, ``decimals`` and ``pricing`` for money, ``table`` and ``matching`` for
one order against many providers, ``signing``, ``rate_limit``, ``queue`` and ``checkpoint`` for
what they say, ``engine`` and ``daemon`` for all of it together, ``sample`` for examples.
"""
