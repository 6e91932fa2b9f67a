"""Default folders: of the project that the user stands in, and those that come with veperf."""

import os
from pathlib import Path

from veperf.core.project import find_project

_PACKAGE = Path(__file__).resolve().parent.parent
_SHARE = _PACKAGE / "_share"


def checkout_folder() -> Path | None:
    """Return the checkout from which this package is imported, if there is one."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "notebooks").is_dir() else None


def project_folder() -> Path:
    """Return the root of the project, to which ``reports`` and ``data`` are relative."""
    return find_project().root


def archive_location() -> str | Path:
    """Return the default archive: $VEPERF_ARCHIVE, which may be a URL, or the project's."""
    return os.environ.get("VEPERF_ARCHIVE") or find_project().archive


def flamegraphs_folder(named: str = "") -> Path:
    """Return the folder of flamegraphs: in the archive, or in ``reports`` if that is a URL."""
    archive = named or archive_location()
    is_url = "://" in str(archive)
    return (project_folder() / "reports" if is_url else Path(archive)) / "flamegraphs"


def user_cache_folder() -> Path:
    """Return the folder of what veperf keeps for this user, and can make anew."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "veperf"


def default_baselines_folder() -> Path:
    """Return the default folder of targets and recorded baselines."""
    return find_project().baselines


def published_file(folder: Path, name: str) -> Path:
    """Return the file ``name`` in ``folder``, or veperf's own if it has none."""
    root = checkout_folder()
    own = root / "data" / "baselines" if root else _SHARE / "baselines"
    return folder / name if (folder / name).exists() else own / name


def notebooks_folder() -> Path:
    """Return the folder of the notebooks."""
    root = checkout_folder()
    return root / "notebooks" if root else _SHARE / "notebooks"


def example_folder() -> Path:
    """Return the folder of the example archive, which comes with veperf."""
    root = checkout_folder()
    return root / "reports" / "example" if root else _SHARE / "example"
