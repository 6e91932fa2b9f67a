"""IAVL, the versioned Merkle tree of the Cosmos SDK."""

from veperf.workloads.transaction.iavl.encoding import Change
from veperf.workloads.transaction.iavl.export import ExportNode, export_nodes, import_nodes
from veperf.workloads.transaction.iavl.node import EMPTY_ROOT_HASH, TreeNode
from veperf.workloads.transaction.iavl.proofs import (
    prove_key,
    verify_membership,
    verify_non_membership,
)
from veperf.workloads.transaction.iavl.tree import Tree

__all__ = [
    "EMPTY_ROOT_HASH",
    "Change",
    "ExportNode",
    "Tree",
    "TreeNode",
    "export_nodes",
    "import_nodes",
    "prove_key",
    "verify_membership",
    "verify_non_membership",
]
