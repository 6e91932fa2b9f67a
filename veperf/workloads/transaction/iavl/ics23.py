"""The protobuf messages of ICS-23 proofs, as ``proofs.proto`` of cosmos/ics23 has them."""

from veperf.workloads.transaction.protobuf import message_classes

# Values of HashOp and LengthOp.
NO_HASH = 0
SHA256 = 1
VAR_PROTO = 1

# What is a oneof there is a choice of messages here, of which a reader has to see exactly one.
_CLASSES = message_classes(
    "veperf.ics23",
    {
        "LeafOp": "hash int32 1, prehash_key int32 2, prehash_value int32 3, length int32 4, "
        "prefix bytes 5",
        "InnerOp": "hash int32 1, prefix bytes 2, suffix bytes 3",
        "ExistenceProof": "key bytes 1, value bytes 2, leaf LeafOp 3, path *InnerOp 4",
        "NonExistenceProof": "key bytes 1, left ExistenceProof 2, right ExistenceProof 3",
        "BatchEntry": "exist ExistenceProof 1, nonexist NonExistenceProof 2",
        "BatchProof": "entries *BatchEntry 1",
        "CompressedExistenceProof": "key bytes 1, value bytes 2, leaf LeafOp 3, path *int32 4",
        "CompressedNonExistenceProof": "key bytes 1, left CompressedExistenceProof 2, "
        "right CompressedExistenceProof 3",
        "CompressedBatchEntry": "exist CompressedExistenceProof 1, "
        "nonexist CompressedNonExistenceProof 2",
        "CompressedBatchProof": "entries *CompressedBatchEntry 1, lookup_inners *InnerOp 2",
        "CommitmentProof": "exist ExistenceProof 1, nonexist NonExistenceProof 2, "
        "batch BatchProof 3, compressed CompressedBatchProof 4",
    },
)

LeafOp = _CLASSES["LeafOp"]
InnerOp = _CLASSES["InnerOp"]
ExistenceProof = _CLASSES["ExistenceProof"]
NonExistenceProof = _CLASSES["NonExistenceProof"]
BatchEntry = _CLASSES["BatchEntry"]
BatchProof = _CLASSES["BatchProof"]
CompressedBatchProof = _CLASSES["CompressedBatchProof"]
CommitmentProof = _CLASSES["CommitmentProof"]
