"""What lies beside a report in its run's folder."""

from pathlib import Path

from veperf.report import markup
from veperf.report.escape import as_html
from veperf.report.fragment import Fragment

_KNOWN = {
    "run.json": "the whole run with every sample",
    "samples.parquet": "the samples as a table",
    "complete.json": "checksums of both",
}
_FLAMEGRAPHS = "*flamegraph*.html"
NOTHING = "This run is not kept in an archive."


def section(folder: Path | None) -> Fragment:
    """Links to the run's data and to its flamegraphs, where it has some."""
    if folder is None:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    found = [(name, what) for name, what in _KNOWN.items() if (folder / name).is_file()]
    found += [
        (str(path.relative_to(folder)), "where memory was allocated")
        for path in sorted(folder.rglob(_FLAMEGRAPHS))
    ]
    if not found:
        return Fragment(markup.paragraph(NOTHING), NOTHING)
    items = "".join(f"<li>{markup.link(name, name)}: {as_html(what)}</li>" for name, what in found)
    return Fragment(f"<ul>{items}</ul>", "\n".join(f"{name}: {what}" for name, what in found))
