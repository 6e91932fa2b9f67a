"""Gas is charged as the Cosmos SDK's gaskv does, whose tests the figures are from."""

import pytest

from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.codec import Send
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import CHAIN
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.modules.ante import run_ante_handler
from veperf.workloads.transaction.modules.blocks import open_caches
from veperf.workloads.transaction.modules.context import BlockContext
from veperf.workloads.transaction.modules.example_data import (
    example_address,
    example_fee,
    example_send,
    genesis,
    multisig_key,
    multisigned,
    signed,
)
from veperf.workloads.transaction.modules.gas import GAS_COSTS, GasMeter, MeteredStore
from veperf.workloads.transaction.modules.multisig import SingleSignature
from veperf.workloads.transaction.modules.transactions import (
    SignerInfo,
    decode_signed,
    encode_message_body,
    encode_signed,
    encode_signers,
)
from veperf.workloads.transaction.signature import Ed25519Signer
from veperf.workloads.transaction.state import account_key, balance_key

SIGNER = Ed25519Signer(bytes(32))
ED25519 = address_from_bytes(SIGNER.public_key.address())
ACCOUNT = account_key(example_address(0).data)


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


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(1_999, 2_000), (2_000 + 30 * 11 - 1, 2_330), (2_330, 2_720), (2_719, 2_720)],
)
def test_a_write_is_charged_in_three_parts(limit: int, expected: int) -> None:
    """Flat, by the key, by the value, as gaskv's Set: the part that is too much counts whole."""
    meter = GasMeter(limit)
    with pytest.raises(TransactionRefused):
        MeteredStore(Tree(), meter).set(key(1), value(1))

    assert expected == meter.consumed


def ante(raw: bytes, limit: int = 10**6) -> tuple[Code, int]:
    """Return the code of the checks of a transaction with this much gas, and the gas."""
    stores = genesis(4)
    stores.trees["acc"].set(account_key(ED25519.data), stores.trees["acc"].get(ACCOUNT) or b"")
    stores.trees["bank"].set(balance_key(ED25519.data, CHAIN.fee_denom), b"1000000")
    meter = GasMeter(limit)
    code, _ = run_ante_handler(
        open_caches(stores), decode_signed(raw), BlockContext(CHAIN, 1, 0), meter
    )
    return code, meter.consumed


def test_signatures_cost_what_the_sdk_says() -> None:
    """TestConsumeSignatureVerificationGas of x/auth/ante/sigverify_test.go, by transactions.

    Another signature of a group is another 1,000; of Ed25519 it is 590, and a refusal.
    """
    send = example_send(0, 1, 5)
    sends = Send(address_from_bytes(multisig_key().address()), send.recipient, send.amount)
    groups = [multisigned([sends], 4, range(count)) for count in (2, 3)]
    used = [ante(raw)[1] - GAS_COSTS.transaction_byte * len(raw) for raw in groups]
    info = SignerInfo(SIGNER.public_key, 0, SingleSignature(1, bytes(64)))
    body = encode_message_body([Send(ED25519, send.recipient, send.amount)])
    raw = encode_signed(body, encode_signers([info], example_fee()), [info.signature])
    code, gas = ante(raw)

    assert 1_000 == used[1] - used[0]
    assert Code.INVALID_PUBLIC_KEY is code
    assert (Code.OUT_OF_GAS, gas) == ante(raw, gas - 1)
    assert (Code.OUT_OF_GAS, gas - 590) == ante(raw, gas - 591)


def test_a_byte_costs_ten() -> None:
    """TestConsumeGasForTxSize of x/auth/ante/basic_test.go: first of all, and before the fee."""
    raw = signed([example_send(0, 1, 5)], 0)

    assert (Code.OUT_OF_GAS, 10 * len(raw)) == ante(raw, 10 * len(raw) - 1)
