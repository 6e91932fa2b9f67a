"""What a fresh process can be asked for; ``child`` answers."""

from msgspec import Struct


class WeighCase(Struct, frozen=True, tag="weigh"):
    """Set a case up and measure its memory; answered by ``Weighed``."""

    modules: tuple[str, ...]
    case: str
    flamegraph: str
    """The file to make; empty for none."""


class HoldCase(Struct, frozen=True, tag="hold"):
    """Set a case up and measure its footprint alone; answered by ``Footprint``."""

    modules: tuple[str, ...]
    case: str


class LookIdle(Struct, frozen=True, tag="idle"):
    """Load modules and do nothing; answered by ``Idle``."""

    modules: tuple[str, ...]


class WorkRounds(Struct, frozen=True, tag="rounds"):
    """Call each of some cases in every round; answered by ``Rounds``."""

    modules: tuple[str, ...]
    cases: tuple[str, ...]
    rounds: int


Asked = WeighCase | HoldCase | LookIdle | WorkRounds
