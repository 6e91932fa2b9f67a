"""The network during training (dense layers, batch normalisation, ReLU) and the Adam optimiser."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.scoring.model import SIZES, WEIGHT_BITS, Layer

_EPSILON = 1e-3
_MOMENTUM = 0.98
_BETA1, _BETA2 = 0.9, 0.999

Floats = NDArray[np.float32]


class NormalisedLayer:
    """A dense layer, batch normalisation (Ioffe and Szegedy, 2015) and ReLU.

    y = relu(gamma (x W + b - mean) / sqrt(variance + epsilon) + beta), with the mean and variance
    of the batch in training and their running averages afterwards.
    """

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        spread = np.sqrt(2 / inputs)  # He et al., 2015
        self.weights = rng.normal(0, spread, (inputs, outputs)).astype(np.float32)
        self.biases = np.zeros(outputs, np.float32)
        self.gamma = np.ones(outputs, np.float32)
        self.beta = np.zeros(outputs, np.float32)
        self.mean = np.zeros(outputs, np.float32)
        self.variance = np.ones(outputs, np.float32)

    @property
    def parameters(self) -> list[Floats]:
        """The trained parameters, in the order of the gradients of ``backward``."""
        return [self.weights, self.biases, self.gamma, self.beta]

    def forward(self, inputs: Floats) -> Floats:
        """Return the outputs [n, outputs] for a batch; keep the intermediate values."""
        sums = inputs @ self.weights + self.biases
        mean, variance = sums.mean(axis=0), sums.var(axis=0)
        self.mean += (1 - _MOMENTUM) * (mean - self.mean)
        self.variance += (1 - _MOMENTUM) * (variance - self.variance)
        self._inputs = inputs
        self._deviation = np.sqrt(variance + np.float32(_EPSILON))
        self._standard = (sums - mean) / self._deviation
        outputs: Floats = np.maximum(self.gamma * self._standard + self.beta, 0)
        self._active = outputs > 0
        return outputs

    def backward(self, slope: Floats) -> tuple[Floats, list[Floats]]:
        """Return gradients of the loss by inputs and by parameters, from those by the outputs."""
        slope = slope * self._active
        gamma, beta = (slope * self._standard).sum(axis=0), slope.sum(axis=0)
        count = np.float32(len(slope))
        sums = (slope - beta / count - self._standard * (gamma / count)) * (
            self.gamma / self._deviation
        )
        return sums @ self.weights.T, [self._inputs.T @ sums, sums.sum(axis=0), gamma, beta]

    def folded(self) -> Layer:
        """Return the layer with its normalisation folded in, in whole multiples of 2^-12."""
        scale = self.gamma.astype(np.float64) / np.sqrt(self.variance + _EPSILON)
        return quantise(self.weights * scale, (self.biases - self.mean) * scale + self.beta)


class OutputLayer:
    """The last layer: one unit, whose sigmoid is the score over 100."""

    def __init__(self, inputs: int, rng: np.random.Generator) -> None:
        self.weights = rng.normal(0, np.sqrt(1 / inputs), (inputs, 1)).astype(np.float32)
        self.biases = np.zeros(1, np.float32)

    @property
    def parameters(self) -> list[Floats]:
        """The trained parameters, in the order of the gradients of ``backward``."""
        return [self.weights, self.biases]

    def forward(self, inputs: Floats) -> Floats:
        """Return the logits [n, 1]."""
        self._inputs = inputs
        return inputs @ self.weights + self.biases

    def backward(self, slope: Floats) -> tuple[Floats, list[Floats]]:
        """As in ``NormalisedLayer``."""
        return slope @ self.weights.T, [self._inputs.T @ slope, slope.sum(axis=0)]

    def folded(self) -> Layer:
        """Return the layer rounded to whole multiples of 2^-12."""
        return quantise(self.weights.astype(np.float64), self.biases.astype(np.float64))


def quantise(weights: NDArray[np.float64], biases: NDArray[np.float64]) -> Layer:
    """Return a layer in units of 2^-12.

    Raises:
        ValueError: a weight does not fit into 16 bits.
    """
    units = np.rint(weights * (1 << WEIGHT_BITS))
    if np.abs(units).max() >= 1 << 15:
        raise ValueError(f"a weight of {np.abs(weights).max():.1f} is too large for 16 bits")
    return Layer(units.astype(np.int16), np.rint(biases * (1 << WEIGHT_BITS)).astype(np.int32))


@dataclass(frozen=True, slots=True)
class TrainingNetwork:
    """All layers, from the features to the logit."""

    layers: list[NormalisedLayer | OutputLayer]

    @classmethod
    def random(cls, rng: np.random.Generator) -> "TrainingNetwork":
        """Return an untrained network with random weights."""
        hidden = [NormalisedLayer(*sizes, rng) for sizes in pairwise(SIZES[:-1])]
        return cls([*hidden, OutputLayer(SIZES[-2], rng)])

    @property
    def parameters(self) -> list[Floats]:
        """All trained parameters."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    def gradients(self, features: Floats, scores: Floats) -> list[Floats]:
        """Return gradients of the mean cross-entropy of the sigmoid and ``scores`` / 100, [n]."""
        values = features
        for layer in self.layers:
            values = layer.forward(values)
        shares = 1 / (1 + np.exp(-values))
        slope = ((shares - scores[:, None] / 100) / len(scores)).astype(np.float32)
        gradients: list[Floats] = []
        for layer in reversed(self.layers):
            slope, layer_gradients = layer.backward(slope)
            gradients = layer_gradients + gradients
        return gradients


@dataclass(slots=True)
class Adam:
    """Adam (Kingma and Ba, 2015) with decoupled weight decay (Loshchilov and Hutter, 2019)."""

    parameters: list[Floats]
    decay: float
    _steps: int = 0
    _first: list[Floats] = field(init=False)
    _second: list[Floats] = field(init=False)

    def __post_init__(self) -> None:
        self._first = [np.zeros_like(p) for p in self.parameters]
        self._second = [np.zeros_like(p) for p in self.parameters]

    def step(self, gradients: list[Floats], rate: float) -> None:
        """Update the parameters in place. Only matrices decay."""
        self._steps += 1
        correction1 = 1 - _BETA1**self._steps
        correction2 = 1 - _BETA2**self._steps
        moments = zip(self.parameters, gradients, self._first, self._second, strict=True)
        for parameter, gradient, first, second in moments:
            first += (1 - _BETA1) * (gradient - first)
            second += (1 - _BETA2) * (gradient**2 - second)
            if parameter.ndim == 2:
                parameter *= 1 - rate * self.decay
            parameter -= (rate / correction1) * first / (np.sqrt(second / correction2) + 1e-8)
