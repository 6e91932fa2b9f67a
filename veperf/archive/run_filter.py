"""Choosing runs of an archive by machine class, time, branch and commit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from veperf.core.errors import UnknownRunError, UsageError
from veperf.core.nearest_names import nearest_names
from veperf.core.options import RunFilterOptions

if TYPE_CHECKING:
    import pyarrow as pa

_LEAST_COMMIT = 4
"""Fewer characters of a commit would be a guess."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Selection of runs of an archive; what is not given excludes none."""

    since: datetime | None = None
    """Those begun then or later; runs without a readable date are none of them."""
    branch: str = ""
    commit: str = ""
    """Beginning of the commit."""
    machine: str = ""
    limit: int | None = None
    """Only so many of those that were completed last."""

    def apply(self, facts: "pa.Table") -> "pa.Table":
        """Return the rows of a table of facts, in the order of completion, that pass.

        Raises:
            UnknownRunError: there are runs, but none of that branch, machine class or commit.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        masks = []
        for name, label in (("branch", "branch"), ("machine", "machine class")):
            if value := getattr(self, name):
                mask = pc.equal(facts[name].cast(pa.string()), pa.scalar(value))
                if facts.num_rows and not pc.any(mask).as_py():
                    raise _unknown(label, value, pc.unique(facts[name]).to_pylist())
                masks.append(mask)
        if self.commit:
            mask = pc.starts_with(facts["commit"], self.commit)
            if facts.num_rows and not pc.any(mask).as_py():
                raise _unknown("commit", self.commit, ())
            masks.append(mask)
        for mask in masks[1:]:
            masks[0] = pc.and_(masks[0], mask)
        facts = facts.filter(masks[0]) if masks else facts
        if self.since is not None:
            least = pa.scalar(_microseconds(self.since), pa.int64())
            facts = facts.filter(pc.greater_equal(facts["created_us"], least))
        return facts if self.limit is None else facts[-self.limit :]


EVERY_RUN = RunFilter()


def filter_of(options: RunFilterOptions, *, now: datetime | None = None) -> RunFilter:
    """Return the filter that ``options`` ask for; ``now`` is that of ages in days.

    Raises:
        UsageError: a date or a commit can't be read.
    """
    if options.commit and len(options.commit) < _LEAST_COMMIT:
        raise UsageError(f"give {_LEAST_COMMIT} characters of the commit or more")
    return RunFilter(
        parse_since(options.since, now) if options.since else None,
        options.branch,
        options.commit.lower(),
        options.machine,
        options.limit,
    )


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """Return the time of an ISO date, in UTC without a zone, or of an age such as ``30d``.

    Raises:
        UsageError: it is neither.
    """
    try:
        if text.endswith("d"):
            return (now or datetime.now(UTC)) - timedelta(days=float(text[:-1]))
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"since {text!r} is no time: give a date such as 2026-11-30, or an age such as 30d"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _unknown(label: str, value: str, known: Iterable[str]) -> UnknownRunError:
    names = sorted(name for name in known if name)
    close = nearest_names(value, names, most=1)
    others = f"; there are {', '.join(names[:5])}" if names else ""
    hint = f"; did you mean {close[0]}?" if close else others
    return UnknownRunError(f"no run in the archive has {label} {value!r}{hint}")


def _microseconds(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
