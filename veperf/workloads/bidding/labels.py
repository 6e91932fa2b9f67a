"""Small numbers for names, so that arrays can hold them; a number nobody holds is given again."""

from collections.abc import Hashable

NONE = 0
"""No name has this number."""


class Labels:
    """Names with a number each, for as long as somebody holds it."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._holders = [0]
        self._unused: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, name: Hashable) -> int:
        """The number of ``name``; ``NONE`` where nobody holds it."""
        return self._numbers.get(name, NONE)

    def hold(self, name: Hashable) -> int:
        """The number of ``name``, which is kept until it is dropped as often as it was held."""
        number = self._numbers.get(name)
        if number is None:
            if self._unused:
                number = self._unused.pop()
            else:
                number = len(self._holders)
                self._holders.append(0)
            self._numbers[name] = number
        self._holders[number] += 1
        return number

    def drop(self, name: Hashable) -> None:
        """Give up one hold of ``name``."""
        number = self._numbers[name]
        self._holders[number] -= 1
        if not self._holders[number]:
            del self._numbers[name]
            self._unused.append(number)
