"""wrk and wrk2: the text that they print, one or several after the other.

::

    Running 30s test @ http://127.0.0.1:8080/index.html
      12 threads and 400 connections
      Thread Stats   Avg      Stdev     Max   +/- Stdev
        Latency   635.91us    0.89ms  12.92ms   93.69%
      Latency Distribution
         50%  250.00us
      22464657 requests in 30.00s, 17.76GB read
      Socket errors: connect 0, read 5, write 0, timeout 2
      Non-2xx or 3xx responses: 12
    Requests/sec: 748868.53

(src/wrk.c and src/units.c of giltene/wrk2 and wg/wrk.) wrk2 counts latency from the time at which a
request was due, and prints a second, uncorrected distribution if asked to: that one is left out. Of
the address the account, the query and the fragment are left out, which may hold secrets.
"""

import math
import re
from urllib.parse import urlsplit

from veperf.core.case import Metric, Params
from veperf.formats.figures import Headings, plain_line, text_number
from veperf.formats.imported import ParsedRun
from veperf.formats.load_reports import THROUGHPUT, add_load, latency
from veperf.formats.source import SourceFile

TOOL = "wrk"

_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_TIME = r"([0-9.]{1,30})(us|ms|s|m|h)"
_START = re.compile(r"Running (\S{1,20}) test @ (\S{1,2000})\s*")
_SIZE = re.compile(r" +([0-9]{1,9}) threads and ([0-9]{1,9}) connections\s*", re.ASCII)
_LATENCY = re.compile(rf" +Latency +{_TIME} +{_TIME} +{_TIME} .*", re.ASCII)
_PERCENTILE = re.compile(rf" +([0-9]{{1,3}}(?:\.[0-9]{{1,6}})?)% +{_TIME}\s*", re.ASCII)
_REQUESTS = re.compile(r" +([0-9]{1,18}) requests in .*", re.ASCII)
_SOCKET_ERRORS = re.compile(r" +Socket errors: .*")
_BAD_RESPONSES = re.compile(r" +Non-2xx or 3xx responses: ([0-9]{1,18})\s*", re.ASCII)
_RATE = re.compile(r"Requests/sec: +([0-9.]{1,40})\s*", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)
_UNCORRECTED = "Uncorrected Latency"


def is_wrk_text(source: SourceFile) -> bool:
    """Return whether any line is the first of wrk's."""
    return " test @ " in source.text and any(map(_START.fullmatch, source.lines))


def read_wrk_text(source: SourceFile) -> ParsedRun:
    """Read the loads in the text; those of an address, size and duration are repetitions.

    In Markdown the headings above it are part of its name. A load without its last lines was cut
    off, and has failed.
    """
    run = ParsedRun(TOOL)
    load: _Load | None = None
    headings = Headings(source.lines)
    for number, raw_line in source.each_line():
        line = plain_line(raw_line)
        if match := _START.fullmatch(line):
            if load is not None:
                load.add_to(run)
            name = ": ".join(filter(None, (headings.text, _address(match[2]))))
            load = _Load(name, match[1])
            source.account.take(number)
        elif load is not None and load.take(line):
            source.account.take(number)
        else:
            headings.take(line)
            source.account.skip(number, "lines of other output")
    if load is not None:
        load.add_to(run)
    run.note("a load of wrk has one value of each figure")
    return run


class _Load:
    """A load whose lines are being read."""

    def __init__(self, name: str, duration: str) -> None:
        self._name = name
        self._params: Params = {"duration": duration}
        self._figures: dict[Metric, float] = {}
        self._requests = math.nan
        self._bad = 0.0
        self._lost = 0.0
        """Requests without a response, which are not among those that wrk counts."""
        self._is_uncorrected = False

    def take(self, line: str) -> bool:
        """Take a line, if it is a figure."""
        if _UNCORRECTED in line:
            self._is_uncorrected = True
        if match := _LATENCY.fullmatch(line):
            self._figures[latency("mean")] = _ms(match[1], match[2])
            self._figures[latency("max")] = _ms(match[5], match[6])
        elif match := _PERCENTILE.fullmatch(line):
            if self._is_uncorrected or text_number(match[1]) >= 100:
                return False
            name = f"p{match[1].rstrip('0').rstrip('.') if '.' in match[1] else match[1]}"
            self._figures[latency(name.replace(".", ""))] = _ms(match[2], match[3])
        elif match := _SIZE.fullmatch(line):
            self._params |= {"threads": int(match[1]), "connections": int(match[2])}
        elif match := _REQUESTS.fullmatch(line):
            self._requests = float(match[1])
        elif _SOCKET_ERRORS.fullmatch(line):
            self._lost += sum(map(float, _COUNT.findall(line)))
        elif match := _BAD_RESPONSES.fullmatch(line):
            self._bad += float(match[1])
        elif match := _RATE.fullmatch(line):
            self._figures[THROUGHPUT] = text_number(match[1])
        else:
            return False
        return True

    def add_to(self, run: ParsedRun) -> None:
        """Add what was read to ``run``."""
        parsed = run.benchmark(TOOL, self._name, params=self._params)
        requests, failed = self._requests + self._lost, self._bad + self._lost
        add_load(parsed, self._figures, requests=requests, failed=failed)
        if THROUGHPUT not in self._figures:
            parsed.failure = "the text ends before the load does"


def _ms(number: str, unit: str) -> float:
    return text_number(number) * _MS[unit]


def _address(url: str) -> str:
    """Return ``url`` without account, query and fragment."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "unreadable address"
    return f"{parts.scheme}://{host}{parts.path}" if host else "unreadable address"
