"""A bad cable: carries packets between two network namespaces late, and loses some.

    cable.py NAMESPACE PORT DELAY_S LOSS

One end is ``eth0`` in the namespace that it is started in, the other PORT in NAMESPACE. Ends with
its standard input. In place of `tc netem`, which not every kernel has.
"""

import contextlib
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_LONGEST = 65_536


def main() -> None:
    """Until the input ends."""
    namespace, port, delay_s, loss = sys.argv[1:]
    here = _end("eth0")
    with Path(namespace).open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    there = _end(port)
    print("ready", flush=True)
    carry({here: there, there: here}, float(delay_s), float(loss))


def carry(other: dict[int, int], delay_s: float, loss: float) -> None:
    """Hand each packet that comes in at one end to the ``other`` after ``delay_s``."""
    dice = random.Random(1)
    under_way: list[tuple[float, int, int, bytes]] = []
    number = 0
    while True:
        patience = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([*other, 0], [], [], patience)
        if 0 in ready and not os.read(0, 1):
            return
        for end in other:
            if end in ready and dice.random() >= loss:
                number += 1
                packet = os.read(end, _LONGEST)
                heapq.heappush(under_way, (time.monotonic() + delay_s, number, other[end], packet))
            elif end in ready:
                os.read(end, _LONGEST)
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(under_way)
            # An interface that is down loses it, as any cable would.
            with contextlib.suppress(OSError):
                os.write(end, packet)


def _end(name: str) -> int:
    end = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return end


if __name__ == "__main__":
    main()
