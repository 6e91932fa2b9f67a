"""Record which code each benchmark executes; run by file in the interpreter of a side.

Reads a request on standard input and writes JSON files into a folder: ``imports.json`` about what
imports execute, then ``<case>-<round>.json`` about each case. Every case runs in a process that is
forked after the imports, so that it executes all that a fresh process would: once without the cache
of set-ups, and where it asks for that, with an empty and with a filled one.

It may run on code of any commit: it imports the standard library, and of the measured code only
the worker and the registry of benchmarks.
"""

import _thread
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

_CALLS_S = 0.03
_MOST_CALLS = 1_000
_LEAST_CALLS = 2
_CACHE = "VEPERF_SETUP_CACHE"
_CACHE_FILE = "setup_cache.py"
_KEY = "hash_sources"
_MOST_FRAMES = 20
_OFF = "off"
_STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")
# These start processes without an event of their own.
_STARTING_FILES = ("popen_spawn_posix.py", "popen_forkserver.py")
_LISTS = ("os.listdir", "os.scandir")
_ASKS = ("stat", "lstat", "access")
_LIBRARIES = ("sqlite3.connect", "ctypes.dlopen")
_IMPORTING = "<frozen importlib"
_METADATA = f"{os.sep}importlib{os.sep}metadata{os.sep}"
_OPTIMIZED = 1
"""Flag of the code of a function, which that of a class body or a module hasn't."""
_EVERY = "*"
_MODULE = "<module>"


def absolute(path: Any) -> str:
    """Return ``path`` from the root, without asking what is there."""
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - resolve() follows links


def is_key_of_cache(frame: FrameType | None) -> bool:
    """Return whether ``frame`` is in what hashes all code of a suite, as a key of set-ups.

    Whether there is one of that key makes no difference, as all states of the cache are recorded.
    """
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return False
        code = frame.f_code
        if code.co_name == _KEY and code.co_filename.endswith(_CACHE_FILE):
            return True
        frame = frame.f_back
    return False


class Variables(dict[Any, Any]):
    """Environment variables, and the names of those that were asked for."""

    def __init__(self, variables: dict[Any, Any]) -> None:
        super().__init__(variables)
        self.queried: set[str] = set()

    def __getitem__(self, name: Any) -> Any:
        self.queried.add(os.fsdecode(name))
        return super().__getitem__(name)

    def __iter__(self) -> Any:
        self.queried.add(_EVERY)
        return super().__iter__()

    def keys(self) -> Any:
        """Return all names."""
        self.queried.add(_EVERY)
        return super().keys()

    def items(self) -> Any:
        """Return all names and values."""
        self.queried.add(_EVERY)
        return super().items()


class CodeRecorder:
    """Code executed in all threads, and files read, since the last ``clear``."""

    def __init__(self, tree: str) -> None:
        real, named = os.path.realpath(tree), absolute(tree)
        self._trees = tuple(dict.fromkeys((f"{real}{os.sep}", f"{named}{os.sep}")))
        self._environment = f"{os.path.realpath(sys.prefix)}{os.sep}"
        self._codes: dict[int, CodeType] = {}
        self._places: dict[str, str | None] = {}
        self._read: set[str] = set()
        self._listed: set[str] = set()
        self._looked_in: set[str] = set()
        self._queried: set[str] = set()
        self._sought: dict[str, set[str]] = {}
        self._imported: set[tuple[str, str]] = set()
        self._run_files: set[tuple[str, str]] = set()
        self._variables = Variables(vars(os.environ)["_data"])
        self._starts_processes = False
        self._is_lost = False
        self._is_inside = False
        self._is_importing = True

    def start(self) -> None:
        """Record from now on, as long as the process lives."""
        vars(os.environ)["_data"] = self._variables
        for name in _ASKS:
            self._watch(name)
        sys.meta_path.insert(0, self)
        if sys.version_info >= (3, 12):
            monitoring = sys.monitoring
            monitoring.use_tool_id(monitoring.COVERAGE_ID, "veperf")
            # A generator that was started before may go on now.
            events = monitoring.events.PY_START, monitoring.events.PY_RESUME
            for event in events:
                monitoring.register_callback(monitoring.COVERAGE_ID, event, self._started)
            monitoring.set_events(monitoring.COVERAGE_ID, events[0] | events[1])
        else:
            # Of threads that are not started by ``threading``, whose own reference this leaves.
            _thread.start_new_thread = self._losing(_thread.start_new_thread)
            threading.settrace(self._trace)
            sys.settrace(self._trace)
        sys.addaudithook(self._audit)

    def find_spec(self, name: str, path: Any = None, _target: object = None) -> None:
        """Note that a module is imported, by what, and where it might be; find none."""
        folders = [absolute(f) for f in (sys.path if path is None else path)]
        places = {f"{folder}{os.sep}{name.rpartition('.')[2]}" for folder in folders}
        self._sought.setdefault(name, set()).update(places)
        self._imported.add((self._caller(sys._getframe(1)), name))

    def _caller(self, frame: FrameType | None) -> str:
        """Return the file of the tree in which ``frame`` is, or what called it."""
        while frame is not None and not frame.f_code.co_filename.startswith(self._trees):
            frame = frame.f_back
        return frame.f_code.co_filename if frame is not None else ""

    def _watch(self, name: str) -> None:
        """Note every path that a function of ``os`` is asked about."""
        function = getattr(os, name)

        def ask(path: Any, *arguments: Any, **named: Any) -> Any:
            is_own = self._is_inside or is_key_of_cache(sys._getframe(1))
            if not isinstance(path, int) and not is_own:
                self._queried.add(absolute(path))
            return function(path, *arguments, **named)

        for supports in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if function in supports:
                supports.add(ask)
        setattr(os, name, ask)

    def _losing(self, start: Any) -> Any:
        def start_unseen(*arguments: Any, **named: Any) -> Any:
            self._is_lost = True
            return start(*arguments, **named)

        return start_unseen

    def clear(self) -> None:
        """Forget what was recorded."""
        self._codes.clear()
        self._read.clear()
        self._listed.clear()
        self._looked_in.clear()
        self._queried.clear()
        self._sought.clear()
        self._imported.clear()
        self._run_files.clear()
        self._variables.queried.clear()
        self._starts_processes = self._is_lost = self._is_importing = self._is_inside = False
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()

    def recorded(self, threads: int) -> dict[str, Any]:
        """Return what was recorded, with the number of ``threads`` there were before."""
        self._is_inside = True
        codes = list(self._codes.values())
        queried, variables = list(self._queried), sorted(self._variables.queried)
        executed = {
            (self._place(code.co_filename), code.co_qualname, code.co_firstlineno)
            for code in codes
            if not code.co_filename.startswith("<")
            and (code.co_flags & _OPTIMIZED or code.co_name == _MODULE)
        }
        data = {self._place(path) for path in list(self._read)}
        folders = {self._place(path) for path in list(self._listed)}
        return {
            "executed": [item for item in executed if item[0] is not None],
            "data": [p for p in data if p is not None and not p.endswith(".pyc")],
            "folders": [p for p in folders if p is not None],
            "modules": self._modules(),
            "starts_processes": self._starts_processes
            or any(code.co_filename.endswith(_STARTING_FILES) for code in codes),
            "threads": threads,
            "looked_in": self._places_of(list(self._looked_in)),
            # Of a commit's own checkout, it is a file.
            "queried": [place for place in self._places_of(queried) if place != ".git"],
            "sought": self._places_of(self._unfound()),
            "imported": [(self._place(path), n) for path, n in list(self._imported) if path],
            "run_files": self._pairs_of_places(list(self._run_files)),
            "variables": variables,
            "lists_names": any("dir" in code.co_names for code in codes),
            "is_lost": self._is_lost,
        }

    def _pairs_of_places(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        places = [(self._place(path) if path else "", self._place(other)) for path, other in pairs]
        return [(place, other) for place, other in places if place is not None and other]

    def _places_of(self, paths: Iterable[str]) -> list[str]:
        return [place for place in {self._place(path) for path in paths} if place is not None]

    def _unfound(self) -> list[str]:
        """Return where modules could have been that were not found, or could be in two folders."""
        return [
            place
            for name, places in self._sought.items()
            if name not in sys.modules or ("." in name and len(places) > 1)
            for place in places
        ]

    def _modules(self) -> dict[str, str]:
        """Return the place of each loaded module of the tree, by its name."""
        places = {}
        for name, module in list(sys.modules.items()):
            path = getattr(module, "__file__", None)
            place = self._place(path) if isinstance(path, str) else None
            if place is not None:
                places[name] = place
        return places

    def _place(self, path: str) -> str | None:
        """Return ``path`` relative to the tree; None where it is not part of it."""
        if path not in self._places:
            self._places[path] = self._find_place(path)
        return self._places[path]

    def _find_place(self, path: str) -> str | None:
        # Where a link in the tree leads to may differ, so that it counts by its own name.
        for name in (absolute(path), os.path.realpath(path)):
            for tree in self._trees:
                is_installed = self._environment != tree and name.startswith(self._environment)
                if f"{name}{os.sep}".startswith(tree) and not is_installed:
                    return name[len(tree) :]
        return None

    def _started(self, code: CodeType, _offset: int) -> object:
        self._codes[id(code)] = code
        if code.co_name == _MODULE and not code.co_filename.startswith("<"):
            self._run_files.add((self._caller(sys._getframe(1).f_back), code.co_filename))
        if sys.version_info >= (3, 12):
            return sys.monitoring.DISABLE
        return None

    def _trace(self, frame: FrameType, _event: str, _argument: object) -> None:
        code = frame.f_code
        self._codes[id(code)] = code
        if code.co_name == _MODULE and not code.co_filename.startswith("<"):
            self._run_files.add((self._caller(frame.f_back), code.co_filename))

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            is_read = mode is None or "r" in mode or "+" in mode
            if is_read and not isinstance(path, int) and not flags & os.O_WRONLY:
                self._note(self._read, path)
        elif event in _LISTS:
            # Packages are looked up in all folders from which modules are imported.
            is_lookup = _METADATA in sys._getframe(1).f_code.co_filename
            folders = self._looked_in if is_lookup else self._listed
            self._note(folders, "." if arguments[0] is None else arguments[0])
        elif event in _LIBRARIES:
            if isinstance(arguments[0], (str, bytes, os.PathLike)):
                path = os.fsdecode(arguments[0])
                self._note(self._read, path.removeprefix("file:").partition("?")[0])
        elif event in _STARTS:
            self._starts_processes = True
        elif event == "object.__getattr__":
            self._note_read_code(*arguments[:2])
        elif sys.version_info >= (3, 12):
            self._is_lost |= event == "sys.monitoring.register_callback"
        elif event == "sys.settrace":
            self._is_lost |= not sys._getframe(1).f_code.co_filename.endswith("threading.py")

    def _note(self, paths: set[str], path: Any) -> None:
        """Add ``path``, unless it is a module's that is being imported."""
        frame = sys._getframe(2)
        if frame.f_code.co_filename.startswith(_IMPORTING) or is_key_of_cache(frame):
            return
        if isinstance(path, int):
            path = os.path.realpath(f"/proc/self/fd/{path}")
        # At once: the working folder may change.
        paths.add(absolute(path))

    def _note_read_code(self, function: object, name: str) -> None:
        """Let a function whose code is read, as compilers do, count as executed."""
        if name != "__code__" or self._is_inside or not isinstance(function, FunctionType):
            return
        # A signature tells what to call, in which the first import of a benchmark has no part.
        if sys._getframe(2).f_code.co_filename.endswith("inspect.py") and self._is_importing:
            return
        self._is_inside = True
        try:
            self._codes[id(function.__code__)] = function.__code__
        finally:
            self._is_inside = False


def write_whole(path: Path, value: object) -> None:
    """Write ``value``, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value))
    part.rename(path)


def run_case(registry: Any, case: dict[str, Any]) -> None:
    """Set the case up and call it, for some time and more than once."""
    task = registry.REGISTRY.benchmarks[case["benchmark"]].setup(**case["params"])
    until, calls = time.monotonic() + _CALLS_S, 0
    while calls < _LEAST_CALLS or (time.monotonic() < until and calls < _MOST_CALLS):
        task.call()
        calls += 1
    if task.close is not None:
        task.close()


def record_case(
    recorder: CodeRecorder, registry: Any, request: dict[str, Any], number: int
) -> bool:
    """Record a case with each state of the cache of set-ups that makes a difference."""
    folder, case = Path(request["folder"]), request["cases"][number]
    own_cache = str(folder / f"cache-{number}")
    for turn, cache in enumerate((_OFF, own_cache, own_cache)):
        path = folder / f"{number}-{turn}.json"
        child = os.fork()
        if not child:
            signal.alarm(request["timeout_s"])
            os.environ[_CACHE] = cache
            threads = threading.active_count()
            recorder.clear()
            run_case(registry, case)
            write_whole(path, recorder.recorded(threads))
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            return False
        executed = json.loads(path.read_text())["executed"]
        if not any(place.endswith(_CACHE_FILE) for place, _, _ in executed):
            break
    return True


def main() -> None:
    """Record all cases of the request, as many at a time as it says."""
    request = json.load(sys.stdin)
    os.dup2(2, 1)  # what benchmarks print is no answer
    recorder = CodeRecorder(request["tree"])
    recorder.start()
    importlib.import_module(request["worker"])
    from veperf.core import registry  # only now, so that it is recorded

    registry.load_registry(request["modules"])
    threads = threading.active_count()
    write_whole(Path(request["folder"], "imports.json"), recorder.recorded(threads))
    running: set[int] = set()
    for number in range(len(request["cases"])):
        if len(running) >= request["processes"]:
            running.discard(os.wait()[0])
        child = os.fork()
        if not child:
            is_whole = False
            try:
                is_whole = record_case(recorder, registry, request, number)
            finally:
                os._exit(0 if is_whole else 1)
        running.add(child)
    while running:
        running.discard(os.wait()[0])


if __name__ == "__main__":
    main()
