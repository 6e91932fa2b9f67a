"""Gas is charged as the Cosmos SDK's gaskv does, whose tests the figures are from."""

import pytest

from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules.gas import GasMeter, MeteredStore


def key(number: int) -> bytes:
    return b"key%08d" % number


def value(number: int) -> bytes:
    return b"value%08d" % number


def test_reads_writes_and_deletes_cost_what_the_sdk_says() -> None:
    """TestGasKVStoreBasic of store/gaskv/store_test.go."""
    meter = GasMeter(10_000)
    store = MeteredStore(Tree(), meter)
    store.get(key(1))
    store.set(key(1), value(1))
    store.get(key(1))
    store.remove(key(1))
    store.get(key(1))

    assert 6858 == meter.consumed


def test_iterations_cost_what_the_sdk_says() -> None:
    """TestGasKVStoreIterator there: up to the end, and backwards."""
    meter = GasMeter(100_000)
    store = MeteredStore(Tree(), meter)
    assert not store.has(key(1))
    for number in (1, 2, 3):
        store.get(key(number))
    store.set(key(1), value(1))
    assert store.has(key(1))
    store.set(key(2), value(2))
    assert store.has(key(2))
    store.set(key(3), value(0))
    items = store.iterate()
    for _ in range(3):
        item = next(items)

    assert (key(3), value(0)) == item
    assert 14_565 == meter.consumed
    assert next(items, None) is None
    assert 14_667 == meter.consumed
    backwards = [key for key, _ in store.iterate(ascending=False)]
    assert [key(3), key(2), key(1)] == backwards
    assert 14_667 + 4 * 102 == meter.consumed


def test_a_write_over_the_limit_does_not_happen() -> None:
    """TestGasKVStoreOutOfGasSet: it is refused, and what went over the limit is counted."""
    tree, meter = Tree(), GasMeter(2_500)
    store = MeteredStore(tree, meter)
    with pytest.raises(TransactionRefused) as caught:
        store.apply([(key(1), value(1))])

    assert Code.OUT_OF_GAS is caught.value.code
    assert 2000 + 30 * 24 == meter.consumed
    assert tree.get(key(1)) is None
