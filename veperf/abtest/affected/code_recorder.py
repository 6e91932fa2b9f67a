"""Recorder of the code that a process executes, and of what it reads.

It runs in the interpreter of a side, on code of any commit, so that it is executed from its file
and imports the standard library alone. A process that the recorded one starts by
``subprocess.Popen`` with the same interpreter records itself, too; see ``recorded_children``.
"""

import _thread
import fcntl
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it is executed in the same namespace, before this file
    from veperf.abtest.affected.recorded_children import (
        BEGUN,
        CHILD,
        PATH,
        SITE,
        STARTS_OTHERS,
        can_be_recorded,
        have_ended,
        read_log,
    )
    from veperf.abtest.affected.watched_reads import (
        absolute,
        path_of_descriptor,
        watch_paths,
        watch_variables,
    )

_CACHE_FILE = "setup_cache.py"
_KEY = "hash_sources"
_MOST_FRAMES = 20
_STARTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")
# These start processes without an event of their own.
_STARTING_FILES = ("popen_spawn_posix.py", "popen_forkserver.py")
_LISTS = ("os.listdir", "os.scandir")
_LIBRARIES = ("sqlite3.connect", "ctypes.dlopen")
_IMPORTING = "<frozen importlib"
_THREADING = f"{os.sep}threading.py"
"""It passes the trace on to new threads, before Python 3.12."""
_METADATA = f"{os.sep}importlib{os.sep}metadata{os.sep}"
_OPTIMIZED = 1
"""Flag of the code of a function, which that of a class body or a module hasn't."""
_MODULE = "<module>"
_HIGH_DESCRIPTOR = 500
_OTHER_TRACES = (
    "sys.monitoring.register_callback" if sys.version_info >= (3, 12) else "sys.settrace",
    "cpython.PyInterpreterState_New",  # no event is passed on to another in the same process
)
_LOST = "is_lost"
_LISTS_NAMES = "lists_names"

Log = Callable[[list[Any]], object]
"""Takes each new thing that is noted: its kind, and what it is."""


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


class CodeRecorder:
    """Code executed in all threads, and files read, since the last ``clear``."""

    def __init__(self, tree: str, folder: str, log: Log | None = None) -> None:
        """Record what is in ``tree``; children write what they do into ``folder``."""
        real, named = os.path.realpath(tree), absolute(tree)
        self._tree, self._folder, self._log = tree, folder, log
        self._trees = tuple(dict.fromkeys((f"{real}{os.sep}", f"{named}{os.sep}")))
        self._environment = f"{os.path.realpath(sys.prefix)}{os.sep}"
        installed = (sys.prefix, sys.base_prefix, folder, "/proc", "/sys", "/dev")
        self._installed = tuple(f"{os.path.realpath(path)}{os.sep}" for path in installed)
        temporary = Path(os.path.realpath(tempfile.gettempdir()))
        self._temporary = f"{temporary}{os.sep}"
        self._were_there = {path.name for path in temporary.iterdir()}
        self._codes: dict[int, CodeType] = {}
        self._places: dict[str, str | None] = {}
        self._noted: defaultdict[str, set[Any]] = defaultdict(set)
        self._variables: dict[Any, Any] = {}
        self._is_inside = False
        self._is_importing = True

    def start(self) -> None:
        """Record from now on, as long as the process lives."""
        self._variables = watch_variables(lambda name: self._note("variables", name))
        watch_paths(self._note, lambda: self._is_inside or is_key_of_cache(sys._getframe(2)))
        self._watch_children()
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

    def note_modules(self) -> None:
        """Note the modules that are loaded already."""
        for name, module in list(sys.modules.items()):
            self._note("modules", (name, getattr(module, "__file__", None) or ""))

    def _note(self, kind: str, item: Any = "") -> None:
        noted = self._noted[kind]
        if item not in noted:
            noted.add(item)
            if self._log is not None:
                self._log([kind, item])

    def find_spec(self, name: str, path: Any = None, _target: object = None) -> None:
        """Note that a module is imported, by what, and where it might be; find none."""
        folders = [absolute(f) for f in (sys.path if path is None else path)]
        places = {f"{folder}{os.sep}{name.rpartition('.')[2]}" for folder in folders}
        for place in places:
            self._note("sought", (name, place))
        self._note("imported", (self._caller(sys._getframe(1)), name))

    def _caller(self, frame: FrameType | None) -> str:
        """Return the file of the tree in which ``frame`` is, or what called it."""
        while frame is not None and not frame.f_code.co_filename.startswith(self._trees):
            frame = frame.f_back
        return _file_of(frame)

    def _losing(self, start: Any) -> Any:
        def start_unseen(*arguments: Any, **named: Any) -> Any:
            self._note(_LOST)
            return start(*arguments, **named)

        return start_unseen

    def _watch_children(self) -> None:
        """Let processes that run this interpreter record themselves."""
        start: Any = subprocess.Popen.__init__

        def start_recorded(popen: Any, args: Any, *others: Any, **named: Any) -> None:
            is_recorded = not others and can_be_recorded(args, named)
            if is_recorded:
                named["env"] = self._environment_of_child(named.get("env"))
            start(popen, args, *others, **named)
            if is_recorded:
                self._note("running", popen.pid)

        vars(start_recorded)["__wrapped__"] = start
        setattr(subprocess.Popen, "__init__", start_recorded)  # noqa: B010 - no assignment to it

    def _environment_of_child(self, variables: Any) -> dict[Any, Any]:
        if variables is None:
            own = dict.items(self._variables)
            variables = {os.fsdecode(name): os.fsdecode(value) for name, value in own}
        log = str(Path(self._folder, f"child-{os.urandom(8).hex()}"))
        path = variables.get(PATH)
        self._note("children", log)
        request = {"log": log, "tree": self._tree, "folder": self._folder, "path": path}
        search = os.pathsep.join([str(Path(self._folder, SITE)), *([path] if path else [])])
        return {**variables, CHILD: json.dumps(request), PATH: search}

    def clear(self) -> None:
        """Forget what was recorded."""
        self._codes.clear()
        self._noted.clear()
        self._is_importing = self._is_inside = False
        if sys.version_info >= (3, 12):
            sys.monitoring.restart_events()

    def recorded(self, threads: int) -> dict[str, Any]:
        """Return what was recorded, with the number of ``threads`` there were before."""
        self._is_inside = True
        noted = {kind: set(items) for kind, items in list(self._noted.items())}
        sought = _unfound(noted.get("sought", ()), set(sys.modules))
        modules = {
            (name, path)
            for name, module in list(sys.modules.items())
            if isinstance(path := getattr(module, "__file__", None), str)
        }
        waiting = [*noted.get("children", ())]
        by_children: set[Any] = set()
        while waiting:
            of_child = read_log(Path(waiting.pop()))
            # It may be a script of any folder, in which a new module would come first.
            sought |= {place for _, place in of_child.pop("sought", ())}
            modules |= of_child.pop("modules", set())
            by_children |= of_child.get("executed", set())
            waiting += of_child.get("children", ())
            for kind, items in of_child.items():
                noted[kind] = noted.get(kind, set()) | items
        if not have_ended(noted.get("running", ())):  # the rest of what they do is not seen
            noted[STARTS_OTHERS] = {""}

        def places(kind: str) -> list[str]:
            return self._places_of(noted.get(kind, ()))

        executed = {(self._place(path), *others) for path, *others in noted.get("executed", ())}
        of_modules = [(name, self._place(path)) for name, path in sorted(modules) if path]
        imported = [(self._place(path), n) for path, n in noted.get("imported", ()) if path]
        return {
            "executed": [item for item in executed if item[0] is not None],
            "data": [place for place in places("read") if not place.endswith(".pyc")],
            "folders": places("listed"),
            "modules": {name: place for name, place in of_modules if place is not None},
            "starts_processes": STARTS_OTHERS in noted,
            "threads": threads,
            "looked_in": places("looked_in"),
            # Of a commit's own checkout, it is a file.
            "queried": [place for place in places("queried") if place != ".git"],
            "sought": self._places_of(sought),
            "by_children": self._places_of(path for path, *_ in by_children),
            "outside": self._outside(noted),
            "imported": [item for item in imported if item[0] is not None],
            "run_files": self._pairs_of_places(noted.get("run", ())),
            "variables": sorted(noted.get("variables", ())),
            "lists_names": _LISTS_NAMES in noted,
            "is_lost": _LOST in noted,
        }

    def _pairs_of_places(self, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        places = [(self._place(path) if path else "", self._place(other)) for path, other in pairs]
        return [(place, other) for place, other in places if place is not None and other]

    def _places_of(self, paths: Iterable[str]) -> list[str]:
        return [place for place in {self._place(path) for path in paths} if place is not None]

    def _outside(self, noted: dict[str, set[Any]]) -> list[str]:
        """Return what was read that is part of nothing that is known by its version."""
        paths = noted.get("read", set()) | noted.get("queried", set())
        return [path for path in paths if self._place(path) is None and not self._is_known(path)]

    def _is_known(self, path: str) -> bool:
        """Return whether ``path`` is of a version that is known, around the tree, or new."""
        name = f"{os.path.realpath(path)}{os.sep}"
        # A folder in which the tree lies is one wherever the tree is.
        if name.startswith(self._installed) or any(tree.startswith(name) for tree in self._trees):
            return True
        # Temporary files that were not there before are made by what is recorded.
        temporary = name.removeprefix(self._temporary)
        return temporary != name and temporary.partition(os.sep)[0] not in self._were_there

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
        self._add(code, sys._getframe(1))
        if sys.version_info >= (3, 12):
            return sys.monitoring.DISABLE
        return None

    def _trace(self, frame: FrameType, _event: str, _argument: object) -> None:
        code = frame.f_code
        if id(code) not in self._codes or code.co_name == _MODULE:
            self._add(code, frame)

    def _add(self, code: CodeType, frame: FrameType | None) -> None:
        """Note that ``frame`` begins to execute ``code``, or that it is read if there is none."""
        self._codes[id(code)] = code  # kept, so that no other one gets its id
        if "dir" in code.co_names:
            self._note(_LISTS_NAMES)
        if code.co_filename.startswith("<"):
            return
        if code.co_filename.endswith(_STARTING_FILES):
            self._note(STARTS_OTHERS)
        path, is_module = absolute(code.co_filename), code.co_name == _MODULE
        if is_module and frame is not None:
            self._note("run", (self._caller(frame.f_back), path))
            self._note("modules", (frame.f_globals.get("__name__", ""), path))
        if code.co_flags & _OPTIMIZED or is_module:
            self._note("executed", (path, code.co_qualname, code.co_firstlineno))

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            is_read = mode is None or "r" in mode or "+" in mode
            if is_read and not isinstance(path, int) and not flags & os.O_WRONLY:
                self._note_path("read", path)
        elif event in _LISTS:
            # Packages are looked up in all folders from which modules are imported.
            is_lookup = _METADATA in _file_of(sys._getframe().f_back)
            folder = "." if arguments[0] is None else arguments[0]
            self._note_path("looked_in" if is_lookup else "listed", folder)
        elif event in _LIBRARIES and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path = os.fsdecode(arguments[0])
            self._note_path("read", path.removeprefix("file:").partition("?")[0])
        elif event == "import" and isinstance(arguments[1], str):
            self._note("modules", (arguments[0], arguments[1]))
        elif event in _STARTS and (event != _STARTS[0] or CHILD not in (arguments[3] or ())):
            self._note(STARTS_OTHERS)
        elif event == "object.__getattr__":
            self._note_read_code(*arguments[:2])
        elif event in _OTHER_TRACES and not _file_of(sys._getframe().f_back).endswith(_THREADING):
            self._note(_LOST)

    def _note_path(self, kind: str, path: Any) -> None:
        """Note ``path``, unless it is a module's that is being imported."""
        audit = sys._getframe().f_back
        frame = audit.f_back if audit is not None else None  # none opens the main script
        if _file_of(frame).startswith(_IMPORTING) or is_key_of_cache(frame):
            return
        if isinstance(path, int):
            path = path_of_descriptor(path)
        # At once: the working folder may change.
        self._note(kind, absolute(path))

    def _note_read_code(self, function: object, name: str) -> None:
        """Let a function whose code is read, as compilers do, count as executed."""
        if name != "__code__" or self._is_inside or not isinstance(function, FunctionType):
            return
        # A signature tells what to call, in which the first import of a benchmark has no part.
        if sys._getframe(2).f_code.co_filename.endswith("inspect.py") and self._is_importing:
            return
        self._is_inside = True
        try:
            self._add(function.__code__, None)
        finally:
            self._is_inside = False


def _file_of(frame: FrameType | None) -> str:
    return frame.f_code.co_filename if frame is not None else ""


def _unfound(sought: Iterable[Any], loaded: set[str]) -> set[str]:
    """Return where modules could have been that are not ``loaded``, or could be in two folders."""
    places: dict[str, set[str]] = {}
    for name, place in sought:
        places.setdefault(name, set()).add(place)
    unclear = (n for n in places if n not in loaded or ("." in n and len(places[n]) > 1))
    return {place for name in unclear for place in places[name]}


def record_child(file: str) -> None:
    """Record this process, which has begun by importing ``file``, and leave no trace of that."""
    request = json.loads(os.environ.pop(CHILD))
    descriptor = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    # Where nothing that the process opens or closes by number is likely to be.
    log = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH_DESCRIPTOR)
    os.close(descriptor)

    def write(line: list[Any]) -> None:
        os.write(log, f"{json.dumps(line)}\n".encode())

    del os.environ[PATH]
    if request["path"] is not None:
        os.environ[PATH] = request["path"]
    sys.path.remove(str(Path(file).parent))
    recorder = CodeRecorder(request["tree"], request["folder"], write)
    write(BEGUN)
    own = sys.modules.pop(SITE)
    recorder.note_modules()
    recorder.start()
    try:
        importlib.import_module(SITE)  # that of the environment
    except ModuleNotFoundError:
        sys.modules[SITE] = own
