"""The head of a chain: executes transactions into the open block, and commits it.

The commit of a large block takes tens of milliseconds. It is done in pieces, so that a pipeline
in one thread can feed its verifiers and accept transactions meanwhile; the result is that of
``execution.process_block``, byte for byte.
"""

from collections.abc import Callable, Iterator

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import Chain, execute_transaction, run_ante_checks
from veperf.workloads.transaction.iavl import Tree, TreeNode
from veperf.workloads.transaction.pipeline.checks import CODES, NO_ACCOUNT, CheckResult
from veperf.workloads.transaction.state import get_account
from veperf.workloads.transaction.validation import verify_transaction_signature

Commit = Callable[[Tree], tuple[bytes, int]]

_CHANGES_AT_ONCE = 128
"""Changes to the tree in one piece of a commit: one to two milliseconds."""
_SUBTREE_LEVELS = 6
"""Subtrees this many levels below the root are hashed one by one."""
_CACHED_KEYS = 1 << 18
"""Keys in the cache between blocks; beyond that all are dropped.

Values that blocks read and write stay in the cache for the next block, as in the SDK's inter-block
cache. A descent into a large tree waits for memory at almost each of its nodes.
"""


class ChainHead:
    """The state after the last block, and the open block."""

    def __init__(self, tree: Tree, chain: Chain, commit: Commit) -> None:
        self.tree = tree
        """Tree of the state, with the last block's version only; only this class changes it."""
        self.reverified = 0
        """Number of transactions whose signature had to be verified again."""
        self.root_hash = b""
        """Root hash after the last committed block, 32 bytes."""
        self._chain = chain
        self._commit = commit
        self._state = Cache(tree)

    @property
    def height(self) -> int:
        """Height of the open block."""
        return self.tree.version + 1

    def look_up_numbers(self, addresses: list[bytes]) -> list[int]:
        """Return the account numbers of ``addresses``; ``NO_ACCOUNT`` for missing accounts."""
        accounts = [get_account(self._state, address) for address in addresses]
        return [NO_ACCOUNT if account is None else account.number for account in accounts]

    def deliver(self, check: CheckResult) -> Code:
        """Execute the next transaction of the block, unless it is rejected; return its code.

        Checks come in the order of ``execution.deliver_transaction``, so that the codes are the
        same; a signature that was verified for another account number is verified again.
        """
        transaction = check.transaction
        if transaction is None:
            return CODES[check.code]
        try:
            account = run_ante_checks(self._state, transaction, self._chain, self.height)
            if check.number != account.number:
                self.reverified += 1
                verify_transaction_signature(transaction, self._chain.id, account.number)
            elif CODES[check.code] is not Code.OK:
                return CODES[check.code]
        except TransactionRefused as refused:
            return refused.code
        return execute_transaction(self._state, transaction, account).code

    def commit(self) -> Iterator[None]:
        """Commit the block, in pieces of one to two milliseconds.

        Only the last piece, saving, may take longer. If it raises nothing is lost, and another
        ``commit`` continues from there.
        """
        tree, changes = self.tree, self._state.changes()
        yield
        for start in range(0, len(changes), _CHANGES_AT_ONCE):
            tree.apply(changes[start : start + _CHANGES_AT_ONCE])
            yield
        for subtree in _unhashed(tree.root, _SUBTREE_LEVELS):
            subtree.fill_hashes()
            yield
        self.root_hash, _ = self._commit(tree)
        # Else memory would grow with every block.
        tree.prune(tree.version - 1)
        self._state.mark_written()
        if len(self._state) > _CACHED_KEYS:
            self._state = Cache(tree)


def _unhashed(root: TreeNode | None, levels: int) -> list[TreeNode]:
    """Return the nodes ``levels`` below ``root`` that have no hash yet."""
    nodes = [] if root is None or root.hash else [root]
    for _ in range(levels):
        children = [child for node in nodes if node.height for child in (node.left, node.right)]
        nodes = [child for child in children if not child.hash]
    return nodes
