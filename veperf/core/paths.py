"""Default folders: those of the checkout, or else of the current folder and of the package."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_SHARE = _PACKAGE / "_share"


def checkout_folder() -> Path | None:
    """Return the checkout from which this package is imported, if there is one."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "notebooks").is_dir() else None


def project_folder() -> Path:
    """Return the checkout or the current folder, to which ``reports`` and ``data`` are relative."""
    return checkout_folder() or Path.cwd()


def archive_location() -> str | Path:
    """Return the default archive: $VEPERF_ARCHIVE, which may be a URL, or ``reports``."""
    return os.environ.get("VEPERF_ARCHIVE") or project_folder() / "reports"


def flamegraphs_folder(named: str = "") -> Path:
    """Return the folder of flamegraphs: in the archive, or in ``reports`` if that is a URL."""
    archive = named or archive_location()
    is_url = "://" in str(archive)
    return (project_folder() / "reports" if is_url else Path(archive)) / "flamegraphs"


def default_baselines_folder() -> Path:
    """Return the default folder of targets and recorded baselines."""
    return project_folder() / "data" / "baselines"


def targets_folder(folder: Path) -> Path:
    """Return the folder with targets.json: ``folder``, or the package's own if it has none."""
    packaged = _SHARE / "baselines"
    return folder if (folder / "targets.json").exists() or not packaged.exists() else packaged


def published_file(folder: Path, name: str) -> Path:
    """Return the file ``name`` in ``folder``, or the package's own copy if it has none."""
    packaged = _SHARE / "baselines" / name
    return folder / name if (folder / name).exists() or not packaged.exists() else packaged


def notebooks_folder() -> Path:
    """Return the folder of the notebooks."""
    root = checkout_folder()
    return root / "notebooks" if root else _SHARE / "notebooks"


def example_folder() -> Path:
    """Return the folder of the example archive, which comes with veperf."""
    root = checkout_folder()
    return root / "reports" / "example" if root else _SHARE / "example"
