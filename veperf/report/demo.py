"""The demo: a report and an archive's site, rendered from runs that come with veperf."""

from dataclasses import dataclass
from pathlib import Path

from veperf.archive.files import read_file, write_inside
from veperf.archive.storage.location import Location
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.core.errors import UsageError
from veperf.core.policy import GatePolicy
from veperf.report.pages.render import render_report
from veperf.report.site.build import INDEX, build_site

KNOWN_MISSES = ("transaction/validation",)
_BASELINES = "baselines"


@dataclass(frozen=True, slots=True)
class Demo:
    """The first pages of the demo."""

    report: Path
    """Of the report on the last run; in the runs a step and a drift were planted."""
    site: Location
    """Of the site of all runs."""


def make_demo(folder: Path) -> Demo:
    """Copy the example archive to ``folder``, and render its pages there; nothing is measured.

    Raises:
        UsageError: this installation has no example.
        StorageError: ``folder`` can't be written.
    """
    source = paths.example_folder()
    if not source.is_dir():
        raise UsageError(f"there is no example in {source}: install veperf anew")
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".html":
            write_inside(folder, str(path.relative_to(source)), read_file(path))
    archive, baselines = Archive(folder), folder / _BASELINES
    run = archive.load()
    policy = GatePolicy()  # not that of the project here, which is about other benchmarks
    write_inside(folder, INDEX, b"")  # so that the report leads to the site
    report = render_report(
        run, folder / run.id, baselines, KNOWN_MISSES, policy, with_notebooks=False
    )
    return Demo(report, build_site(archive, baselines, baselines, KNOWN_MISSES, policy))
