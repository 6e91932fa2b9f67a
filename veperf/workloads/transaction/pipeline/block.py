"""A chain's head: transactions are executed into the block that is open, which is then committed.

The commit of a large block takes tens of milliseconds. It is done in pieces, so that a pipeline
in one thread can feed its verifiers and take transactions in meanwhile; the result is that of
``execution.process_block``, byte for byte.
"""

from collections.abc import Callable, Iterator

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import Chain, admit, execute
from veperf.workloads.transaction.iavl import Node, Tree, fill_hashes
from veperf.workloads.transaction.pipeline.verification import CODES, UNKNOWN, Outcome
from veperf.workloads.transaction.state import get_account
from veperf.workloads.transaction.validation import verify_signature

Commit = Callable[[Tree], tuple[bytes, int]]

_CHANGES = 128
"""That are made to the tree in one piece of work: one to two milliseconds."""
_SUBTREE_LEVELS = 6
"""Subtrees this far below the root are hashed one by one."""
_KNOWN = 1 << 18
"""Keys whose values are known without a descent into the tree; over that all are forgotten.

What blocks read and write stays in the cache from one to the next, as in the SDK's inter-block
cache. A descent into a large tree waits for memory at almost each of its nodes.
"""


class ChainHead:
    """The state after the last block, and the block that is being made."""

    def __init__(self, tree: Tree, chain: Chain, commit: Commit) -> None:
        self.tree = tree
        """The state; of its saved versions it keeps the last block's only. Changed here only."""
        self.reverified = 0
        """Transactions whose signature had to be verified here."""
        self.root_hash = b""
        """Of the last block that was committed here, 32 bytes."""
        self._chain = chain
        self._commit = commit
        self._state = Cache(tree)

    @property
    def height(self) -> int:
        """Of the block that is being made."""
        return self.tree.version + 1

    def numbers_of(self, addresses: list[bytes]) -> list[int]:
        """The account numbers of ``addresses`` now; ``UNKNOWN`` for those without an account."""
        accounts = [get_account(self._state, address) for address in addresses]
        return [UNKNOWN if account is None else account.number for account in accounts]

    def deliver(self, outcome: Outcome) -> Code:
        """Execute the next transaction of the block, unless it is to be refused.

        Checks come in the order of ``execution.deliver``, so that the codes are the same, and a
        signature that was verified for another number than the account's is verified here.
        """
        transaction = outcome.transaction
        if transaction is None:
            return CODES[outcome.code]
        try:
            account = admit(self._state, transaction, self._chain, self.height)
            if outcome.number != account.number:
                self.reverified += 1
                verify_signature(transaction, self._chain.id, account.number)
            elif CODES[outcome.code] is not Code.OK:
                return CODES[outcome.code]
        except TransactionRefused as refused:
            return refused.code
        return execute(self._state, transaction, account).code

    def commit(self) -> Iterator[None]:
        """Commit the block, in pieces of one to two milliseconds.

        Only the last piece, saving, is as long as it takes. Where it raises nothing is lost, and
        another ``commit`` goes on from there.
        """
        tree, changes = self.tree, self._state.changes()
        yield
        for start in range(0, len(changes), _CHANGES):
            tree.apply(changes[start : start + _CHANGES])
            yield
        for subtree in _unhashed(tree.root, _SUBTREE_LEVELS):
            fill_hashes(subtree)
            yield
        self.root_hash, _ = self._commit(tree)
        # Or memory would grow with every block.
        tree.prune(tree.version - 1)
        self._state.settle()
        if len(self._state) > _KNOWN:
            self._state = Cache(tree)


def _unhashed(root: Node | None, levels: int) -> list[Node]:
    """The nodes ``levels`` below ``root`` that have no hash yet."""
    nodes = [] if root is None or root.hash else [root]
    for _ in range(levels):
        children = [child for node in nodes if node.height for child in (node.left, node.right)]
        nodes = [child for child in children if not child.hash]
    return nodes
