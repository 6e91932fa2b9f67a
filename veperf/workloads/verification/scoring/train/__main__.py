"""Train the model, write its file, and print its accuracy and the hash to pin.

The data are the same each time. The weights differ in the last bits on another processor, since
training is in floating point. So the hash belongs to the shipped file; after training again, pin
the new hash (``MODEL_SHA256`` in ``model.py``).
"""

from hashlib import sha256
from pathlib import Path

import click
import numpy as np

from veperf.workloads.verification.scoring.exact import numpy_engine
from veperf.workloads.verification.scoring.model import (
    MODEL_FILE,
    Model,
    check_bounds,
    encode_model,
)
from veperf.workloads.verification.scoring.train.data import draw_examples, evaluate_engine
from veperf.workloads.verification.scoring.train.network import Adam, TrainingNetwork

_SEED = 1
_HELD_OUT_SEED = 2
_ROWS = 24_000
_HELD_OUT_ROWS = 4_000
_EPOCHS = 12
_BATCH = 256
_RATE = 1e-3
_DECAY = 20.0  # strong, since a model of small weights has small sums and generalises better


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=MODEL_FILE)
def main(output: Path) -> None:
    """Train on seeded synthetic data and write the model to OUTPUT.

    It takes about two minutes of CPU time.
    """
    network = _train()
    layers = tuple(layer.folded() for layer in network.layers)
    raw = encode_model(layers)
    model = Model(layers, sha256(raw).digest())
    held_out = draw_examples(_HELD_OUT_ROWS, _HELD_OUT_SEED)
    accuracy = evaluate_engine(numpy_engine(model), held_out)
    output.write_bytes(raw)
    click.echo(
        f"R2 {accuracy.r_squared:.4f}, MAE {accuracy.mean_error_points:.2f} points on held-out rows"
    )
    click.echo(f"largest sum 2^{np.log2(check_bounds(layers)):.1f} of 2^53; {len(raw):,} bytes")
    click.echo(f"SHA-256 {model.sha256.hex()}")


def _train() -> TrainingNetwork:
    rng = np.random.default_rng(_SEED)
    rows = draw_examples(_ROWS, _SEED)
    network = TrainingNetwork.random(rng)
    adam = Adam(network.parameters, _DECAY)
    steps = _EPOCHS * (_ROWS // _BATCH)
    scores = rows.scores.astype(np.float32)
    step = 0
    for epoch in range(_EPOCHS):
        for batch in rng.permutation(_ROWS)[: _ROWS // _BATCH * _BATCH].reshape(-1, _BATCH):
            rate = _RATE * (1 + np.cos(np.pi * step / steps)) / 2
            adam.step(network.gradients(rows.features[batch], scores[batch]), rate)
            step += 1
        click.echo(f"epoch {epoch + 1} of {_EPOCHS}")
    return network


if __name__ == "__main__":
    main()
