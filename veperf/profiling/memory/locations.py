"""The places in the code that allocate: lines of Python, and functions of C."""

import sys
from pathlib import Path

from memray import AllocationRecord, AllocatorType

from veperf.profiling.memory.capture import record_allocations

Location = tuple[str, str, int]
"""Function, file and line; the file is empty, and the line 0, where that is no line of Python."""

_NATIVE = "outside of Python", "", 0


class Locations:
    """Lines of records, looked up once for each stack; ``native`` names functions of C as well."""

    def __init__(self, *, native: bool) -> None:
        self._by_stack: dict[tuple[int, int], Location] = {}
        self._files = RelativeFiles()
        self._native = native

    def of(self, record: AllocationRecord) -> Location:
        """Return the line that allocated."""
        stacks = record.stack_id, record.native_stack_id if self._native else 0
        if stacks not in self._by_stack:
            stack = record.stack_trace(max_stacks=1)
            function, file, line = self._named(stack[0]) if stack else _NATIVE
            if self._native and (caller := native_function(record)):
                function = f"{function}, in {caller}"
            self._by_stack[stacks] = function, file, line
        return self._by_stack[stacks]

    def _named(self, location: Location) -> Location:
        function, file, line = location
        if file == record_allocations.__code__.co_filename:
            # The loop allocates nothing: it is the callable, which is of C.
            return _NATIVE
        return function, self._files.name(file), line


_PYTHON_ALLOCATORS = frozenset(
    {
        AllocatorType.PYMALLOC_MALLOC,
        AllocatorType.PYMALLOC_CALLOC,
        AllocatorType.PYMALLOC_REALLOC,
    }
)


def native_function(record: AllocationRecord) -> str:
    """Return the function of C that called malloc or mmap, and its library.

    Empty for an object of Python's own allocator, and where there is no native stack.
    """
    if record.allocator in _PYTHON_ALLOCATORS:
        return ""
    stack = record.native_stack_trace(max_stacks=1)
    if not stack:
        return ""
    function, file, _ = stack[0]
    library = Path(file).name
    return function if library == "<unknown>" else f"{function} ({library})"


class RelativeFiles:
    """Names of files relative to the import path, so that a profile has no paths of the machine."""

    def __init__(self) -> None:
        folders = {str(Path(entry or ".").resolve()) + "/" for entry in sys.path}
        self._folders = sorted(folders, key=len, reverse=True)

    def name(self, file: str) -> str:
        """Return the relative name of ``file``; itself if it is not below the import path."""
        folder = next((folder for folder in self._folders if file.startswith(folder)), "")
        return file.removeprefix(folder)
