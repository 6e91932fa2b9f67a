"""The model behind HTTP, as TensorFlow Serving offers it, and a client of it.

The REST interface is that of TensorFlow Serving (``POST /v1/models/<name>:predict``)::

    {"instances": [[768 numbers], ...]}  ->  {"predictions": [[points], ...]}

Errors are a 4xx with ``{"error": text}``. The server is for one machine: it listens on the loopback
interface alone, in a thread of its own.
"""

from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Self

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from veperf.core.errors import MeasureError
from veperf.workloads.verification.features.vector import FEATURES, FeatureError
from veperf.workloads.verification.scoring.engine import ScoringEngine

MODEL_NAME = "trust_score"
MAX_INSTANCES = 64
_MAX_BODY_BYTES = MAX_INSTANCES * FEATURES * 32
_PATH = f"/v1/models/{MODEL_NAME}:predict"
_LOOPBACK = "127.0.0.1"
_OK, _BAD_REQUEST, _NOT_FOUND, _TOO_LARGE = 200, 400, 404, 413


class PredictionError(MeasureError):
    """A server that gave no prediction."""


class _Instances(Struct, forbid_unknown_fields=True):
    instances: list[list[float]]


class _Predictions(Struct):
    predictions: list[list[float]]


class _Error(Struct):
    error: str


_encode = msgspec.json.Encoder().encode
_decode_instances = msgspec.json.Decoder(_Instances).decode
_decode_predictions = msgspec.json.Decoder(_Predictions).decode


class ModelServer:
    """An HTTP server of one model; ``with ModelServer(engine) as server`` closes it."""

    def __init__(self, engine: ScoringEngine) -> None:
        """Listen on a free port of the loopback interface."""

        class Handler(_Handler):
            model = engine

        self._server = HTTPServer((_LOOPBACK, 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.port: int = self._server.server_address[1]

    def close(self) -> None:
        """Stop listening; waits for a client that is connected, 5 seconds at most."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class ModelClient:
    """A client of a ``ModelServer``, over one connection that is kept."""

    def __init__(self, port: int, timeout_s: float = 2.0) -> None:
        """Use the server at ``port`` of this machine."""
        self._connection = HTTPConnection(_LOOPBACK, port, timeout=timeout_s)

    def predict(self, features: ArrayLike) -> list[float]:
        """Return the points of vectors of ``features`` [n, 768].

        Raises:
            PredictionError: the server refuses them, can't be reached, or answers something else.
        """
        body = _encode(_Instances(np.asarray(features, np.float64).tolist()))
        try:
            self._connection.request("POST", _PATH, body, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            raw = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise PredictionError(f"the model's server can't be reached: {error}") from error
        if response.status != _OK:
            answer = raw[:200].decode(errors="replace")
            raise PredictionError(f"the model's server answers {response.status}: {answer}")
        try:
            return [row[0] for row in _decode_predictions(raw).predictions]
        except (msgspec.MsgspecError, IndexError) as error:
            raise PredictionError(f"the model's server answers no predictions: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5.0
    # Else the body waits for the client to acknowledge the headers, which takes it 40 ms.
    disable_nagle_algorithm = True
    wbufsize = -1
    model: ScoringEngine

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._answer(_TOO_LARGE, _Error(f"a body has {_MAX_BODY_BYTES} bytes at most"))
            return
        body = self.rfile.read(int(length))
        if self.path != _PATH:
            self._answer(_NOT_FOUND, _Error("there is no such model"))
            return
        try:
            instances = _decode_instances(body).instances
            scores = self.model.score_many(instances)
        except (msgspec.MsgspecError, FeatureError) as error:
            self._answer(_BAD_REQUEST, _Error(str(error)))
            return
        self._answer(_OK, _Predictions([[score.points] for score in scores]))

    def _answer(self, status: int, message: Struct) -> None:
        body = _encode(message)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the benchmark's terminal is not a log."""
