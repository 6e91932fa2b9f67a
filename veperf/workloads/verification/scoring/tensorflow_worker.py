"""The process that ``hosted`` starts: TensorFlow, and one pipe, whose number is the argument."""

import sys
from multiprocessing.connection import Connection

from veperf.workloads.verification.scoring.model import read_model
from veperf.workloads.verification.scoring.tensorflow_graph import (
    TensorFlowLogits,
    TensorFlowPoints,
)
from veperf.workloads.verification.scoring.tensorflow_process import serve

if __name__ == "__main__":
    model = read_model()
    serve(
        Connection(int(sys.argv[1])),
        {b"f": TensorFlowPoints(model).points, b"d": TensorFlowLogits(model).logits},
    )
