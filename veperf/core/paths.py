"""Where things are: in a checkout of veperf, its own folders; installed elsewhere, yours."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_SHARE = _PACKAGE / "_share"


def checkout() -> Path | None:
    """The checkout that this package is imported from, if it is one."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "notebooks").is_dir() else None


def project() -> Path:
    """The checkout, or else the current folder: what ``reports`` and ``data`` are relative to."""
    return checkout() or Path.cwd()


def archive() -> str | Path:
    """The archive when none is named: $VEPERF_ARCHIVE, which may be a URL, or ``reports``."""
    return os.environ.get("VEPERF_ARCHIVE") or project() / "reports"


def graphs(named: str = "") -> Path:
    """The folder of flamegraphs: in the archive, or in ``reports`` where that is elsewhere."""
    place = named or archive()
    elsewhere = "://" in str(place)
    return (project() / "reports" if elsewhere else Path(place)) / "flamegraphs"


def baselines() -> Path:
    """The folder of targets and recorded baselines when none is named."""
    return project() / "data" / "baselines"


def targets(folder: Path) -> Path:
    """The folder with targets.json: ``folder``, or the package's own copy where it has none."""
    packaged = _SHARE / "baselines"
    return folder if (folder / "targets.json").exists() or not packaged.exists() else packaged


def published(folder: Path, name: str) -> Path:
    """The file ``name`` in ``folder``, or the package's own copy where it has none."""
    packaged = _SHARE / "baselines" / name
    return folder / name if (folder / name).exists() or not packaged.exists() else packaged


def notebooks() -> Path:
    """The folder of the notebooks."""
    root = checkout()
    return root / "notebooks" if root else _SHARE / "notebooks"
