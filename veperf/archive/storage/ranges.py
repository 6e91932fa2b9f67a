"""A distant file, read piece by piece, as zip wants it."""

import io

from veperf.archive.storage.objects import Objects

_AT_ONCE = 1 << 20


class _Pieces(io.RawIOBase):
    def __init__(self, objects: Objects, name: str) -> None:
        super().__init__()
        self._objects = objects
        self._name = name
        self._size = objects.size(name)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is nothing at {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # typeshed asks for any buffer, io passes this one
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = self._objects.get(self._name, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def reader(objects: Objects, name: str) -> io.BufferedReader:
    """The file ``name``, to read here and there, about 1 MiB a request.

    Raises:
        CorruptFileError, StorageError: as ``Objects.get``; so does reading.
    """
    return io.BufferedReader(_Pieces(objects, name), _AT_ONCE)
