"""IAVL, the versioned Merkle tree of the Cosmos SDK."""

from veperf.workloads.transaction.iavl.node import EMPTY_ROOT_HASH, Node, fill_hashes
from veperf.workloads.transaction.iavl.tree import Tree

__all__ = ["EMPTY_ROOT_HASH", "Node", "Tree", "fill_hashes"]
