"""Sums of many lists of points, with as many additions at once as there are."""

from collections.abc import Sequence

from veperf.workloads.zk.msm.group import Group, Point

_LISTS_AT_ONCE = 128  # enough to share an inversion, few enough for their points to stay in cache


def sum_lists(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """The sum of each list."""
    sums = []
    for start in range(0, len(lists), _LISTS_AT_ONCE):
        sums += _sum_some(group, lists[start : start + _LISTS_AT_ONCE])
    return sums


def _sum_some(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """Cut all lists into runs with lengths that are powers of 2, and halve runs until they are 1.

    Runs of one length stand behind each other in one flat list, where neighbours are added, which
    costs nothing a list. What came of the runs of a list is then a list again, of some log2(n).
    """
    remaining = [list(filter(None, points)) for points in lists]
    while (longest := max(map(len, remaining))) > 1:
        owners = []
        runs: list[Point] = []
        length = 1 << (longest.bit_length() - 1)
        while length:
            runs = group.add_pairs(runs[::2], runs[1::2])
            for points in remaining:
                if len(points) & length:
                    owners.append(points)
                    runs += points[-length:]
                    del points[-length:]
            length >>= 1
        for points, point in zip(owners, runs, strict=True):
            points.append(point)
    return [points[0] if points else None for points in remaining]
