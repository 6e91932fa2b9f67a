"""What lies beside a report in its run's folder."""

from fnmatch import fnmatch

from veperf.archive.storage.base import Storage
from veperf.core.errors import CorruptFileError
from veperf.core.escape import as_html
from veperf.report.html import markup
from veperf.report.html.fragment import Fragment

_KNOWN = {
    "run.json": "the whole run with every sample",
    "samples.parquet": "the samples as a table",
    "complete.json": "checksums of both",
}
_FLAMEGRAPHS = "*flamegraph*.html"
NOTHING = "This run is not kept in an archive."


def section(folder: Storage | None) -> Fragment:
    """Links to the run's data and to its flamegraphs, where it has some."""
    names = _names(folder)
    found = [(name, what) for name, what in _KNOWN.items() if name in names]
    found += [
        (name, "where memory was allocated")
        for name in names
        if fnmatch(name.rpartition("/")[2], _FLAMEGRAPHS)
    ]
    if not found:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    items = "".join(f"<li>{markup.link(name, name)}: {as_html(what)}</li>" for name, what in found)
    return Fragment(f"<ul>{items}</ul>", "\n".join(f"{name}: {what}" for name, what in found))


def _names(folder: Storage | None) -> list[str]:
    try:
        return folder.names() if folder is not None else []
    except CorruptFileError:
        return []
