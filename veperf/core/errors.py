"""Every error that veperf raises on purpose, as one tree.

::

    VeperfError                      exit code 3: could not measure
    ├── UsageError                   exit code 2: the request makes no sense
    │   ├── UnknownBenchmarkError
    │   ├── UnknownTargetError
    │   ├── UnknownRunError
    │   └── ParameterError           a notebook parameter that does not exist or has the wrong type
    ├── DataError                    exit code 2: a file with invalid content
    │   ├── CorruptFileError
    │   ├── NewerFormatError
    │   └── IncompleteRunError
    ├── MeasureError                 exit code 3
    │   ├── WorkerCrashedError
    │   ├── WorkerTimeoutError
    │   └── WorkerProtocolError
    ├── StorageError                 exit code 3: read-only folder, full disk
    └── ReportError                  exit code 3
        ├── KernelError              no kernel, or one that died
        └── NotebookError            a cell that raised

Each message says what happened, where, and what to do next. Each class is also derived from the
built-in that fits (``ValueError``, ``LookupError``, ``OSError``), so that callers who know nothing
of veperf can catch it.
"""

from typing import ClassVar

OK = 0
FAILED = 1
USAGE = 2
COULD_NOT_MEASURE = 3
INCONCLUSIVE = 4
CRASHED = 70
"""A bug: EX_SOFTWARE of sysexits.h."""
INTERRUPTED = 130
"""Stopped by Ctrl-C: what a shell makes of SIGINT, 128 + 2."""
OUTPUT_CLOSED = 141
"""Nobody reads the output any more: what a shell makes of SIGPIPE, 128 + 13."""


class VeperfError(Exception):
    """Base of every error raised on purpose; ``exit_code`` is what a command ends with."""

    exit_code: ClassVar[int] = COULD_NOT_MEASURE


class UsageError(VeperfError, ValueError):
    """The request makes no sense."""

    exit_code = USAGE


class UnknownBenchmarkError(UsageError, LookupError):
    """No benchmark has that name."""


class UnknownTargetError(UsageError, LookupError):
    """No published target has that name."""


class UnknownRunError(UsageError, LookupError):
    """The archive holds no such run."""


class ParameterError(UsageError):
    """A notebook parameter that does not exist or has the wrong type."""


class DataError(VeperfError, ValueError):
    """A file with invalid content."""

    exit_code = USAGE


class CorruptFileError(DataError):
    """A file in another format than its name says, or cut off."""


class NoSuchFileError(CorruptFileError):
    """A file that is not there."""


class NewerFormatError(DataError):
    """A file written by a later version of veperf."""


class IncompleteRunError(DataError):
    """A run without its completion file."""


class MeasureError(VeperfError, RuntimeError):
    """Measuring failed."""


class WorkerCrashedError(MeasureError):
    """A worker process ended before it answered."""


class WorkerTimeoutError(MeasureError):
    """A worker process did not answer in time."""


class WorkerProtocolError(MeasureError):
    """A worker process sent an invalid answer."""


class StorageError(VeperfError, OSError):
    """A folder that can't be written, a disk that is full."""


class ReportError(VeperfError, RuntimeError):
    """A report could not be made."""


class KernelError(ReportError):
    """There is no kernel, or it died."""


class NotebookError(ReportError):
    """A notebook cell raised."""
