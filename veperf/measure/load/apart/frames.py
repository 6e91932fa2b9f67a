"""Frames on a stream: 4 bytes of length, big-endian, and as many bytes as that says."""

_LENGTH_BYTES = 4


class FrameError(ValueError):
    """A frame that is longer than allowed."""


def to_frame(body: bytes) -> bytes:
    """``body`` as it travels."""
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameReader:
    """Puts frames together from whatever pieces arrive, holding one that is not whole at most."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        """That a frame may have."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take ``data``; the frames that are whole now, without their lengths.

        Raises:
            FrameError: a frame says that it is too long.
        """
        buffer = self._buffer
        buffer += data
        frames, start = [], 0
        while len(buffer) - start >= _LENGTH_BYTES:
            body = start + _LENGTH_BYTES
            size = int.from_bytes(buffer[start:body], "big")
            if size > self.most_bytes:
                raise FrameError(f"a frame of {size} bytes, where {self.most_bytes} are allowed")
            if len(buffer) < body + size:
                break
            frames.append(bytes(buffer[body : body + size]))
            start = body + size
        del buffer[:start]
        return frames
