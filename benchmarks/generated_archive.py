"""Make an archive of many runs, packed as `veperf archive compact` leaves it, without measuring.

    python -m benchmarks.generated_archive FOLDER [--runs 50000] [--cases 45] [--machines 1]

A run an hour; half of the cases get 5 % slower, each at a time of its own. All runs but the last
hundred are in packs of 500. 5,000 runs take 0.6 GB and half a minute on each of two CPUs.
"""

import argparse
import zipfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from veperf.archive.compaction import DEFAULT_KEEP
from veperf.archive.files import checksum, encode_json, write_json
from veperf.archive.manifest import COMPLETE, RUN, SAMPLES, run_manifest
from veperf.archive.pack_figures import RunFigures
from veperf.archive.packs import FIGURES, MANIFEST, TABLE, ZIP, Pack
from veperf.archive.query import PARQUET, samples_parquet, samples_schema
from veperf.archive.run_summary import run_facts
from veperf.archive.summary_tables import figures_schema
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Config, Machine, Pass, Revision, Run, Sample

PASSES, SAMPLES_EACH, LOOPS = 6, 5, 1_000
NOISE, STEP = 0.01, 0.05
START = datetime(2020, 1, 1, tzinfo=UTC)
A_PACK = 500
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
Walls = NDArray[np.int64]


def demo_cases(number: int) -> tuple[Case, ...]:
    """Return so many cases."""
    ids = [f"demo/case_{n:02}" for n in range(number)]
    return tuple(Case(id, id, "demo", Level.MICRO, "Works.") for id in ids)


def wall_times(index: int, cases: int, runs: int) -> Walls:
    """Return the wall times of a run's samples in ns, shape (passes, cases, samples)."""
    dice = np.random.default_rng(index)
    steps = np.array([n % 2 == 0 and index >= runs * (n + 1) / (cases + 1) for n in range(cases)])
    levels = 100.0 * (1 + np.arange(cases)) * (1 + STEP * steps)
    process = levels * dice.normal(1, NOISE, (PASSES, cases))
    times = process[..., None] * (1 + dice.exponential(NOISE, (PASSES, cases, SAMPLES_EACH)))
    walls: Walls = np.round(times * LOOPS).astype(np.int64)
    return walls


def generated_run(index: int, cases: tuple[Case, ...], walls: Walls, machines: int = 1) -> Run:
    """Return run ``index`` with these wall times; its CPU times are 7 ns less."""
    created = (START + timedelta(hours=index)).isoformat()
    times = walls.tolist()
    passes = [
        Pass(
            p, created, 1.0, 0.5, 0.5, None, 0.0, 1e6,
            tuple(
                CaseResult(
                    case.id,
                    loops=LOOPS,
                    samples=tuple(Sample(wall, wall - 7, 0) for wall in times[p][c]),
                )
                for c, case in enumerate(cases)
            ),
        )
        for p in range(PASSES)
    ]  # fmt: skip
    return Run(
        id=f"{START + timedelta(hours=index):%Y%m%d-%H%M%S}-{index:07x}",
        created=created,
        config=Config("quick", PASSES, SAMPLES_EACH, 1, 5_000_000, index, 60.0),
        machine=Machine(f"box-{index % machines}", "Box 9000", 4, None, "Linux", "CPython 3.11.7"),
        revision=Revision(f"{index:040x}", "main" if index % 10 else "next"),
        cases=cases,
        passes=tuple(passes),
    )


def stamp_of(index: int) -> int:
    """Return the completion stamp of run ``index``."""
    return int((START + timedelta(hours=index, minutes=5)).timestamp()) * 1_000_000_000


def write_loose(folder: Path, index: int, cases: tuple[Case, ...], runs: int, machines: int) -> Run:
    """Write a run in a folder of its own, whole as `veperf run` leaves it."""
    run = generated_run(index, cases, wall_times(index, len(cases), runs), machines)
    files = {RUN: encode_json(run), SAMPLES: samples_parquet(run)}
    place = folder / run.id
    place.mkdir(parents=True)
    for name, data in files.items():
        (place / name).write_bytes(data)
    write_json(place / COMPLETE, run_manifest(run.id, files, stamp_of(index)))
    return run


def write_pack(
    folder: Path, cases: tuple[Case, ...], runs: int, machines: int, first: int, last: int
) -> None:
    """Write a pack of the runs ``first`` to before ``last``."""
    import pyarrow.parquet as pq

    pack = folder / "packs" / f"{START + timedelta(hours=first):%Y%m%d-%H%M%S}-{first:08x}"
    pack.mkdir(parents=True)
    indices = range(first, last)
    walls = np.stack([wall_times(i, len(cases), runs) for i in indices])
    made: list[Run] = []
    with zipfile.ZipFile(pack / ZIP, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for index, of_run in zip(indices, walls, strict=True):
            run = generated_run(index, cases, of_run, machines)
            data = msgspec.json.encode(run)
            manifest = encode_json(run_manifest(run.id, {RUN: data}, stamp_of(index)))
            for name, content in ((RUN, data), (COMPLETE, manifest)):
                member = zipfile.ZipInfo(f"{run.id}/{name}", _ZIP_TIME)
                packed.writestr(member, content, zipfile.ZIP_DEFLATED, compresslevel=1)
            made.append(msgspec.structs.replace(run, passes=run.passes[:1]))
    _write_samples(pack / TABLE, made, cases, walls)
    stamps = {run.id: stamp_of(i) for i, run in zip(indices, made, strict=True)}
    facts = [run_facts(run, stamps[run.id], stamps[run.id]) for run in made]
    facts = [msgspec.structs.replace(of_run, passes=PASSES) for of_run in facts]
    figures = RunFigures(facts, [_figures(made, cases, walls)])
    (pack / FIGURES).write_bytes(figures.encode())
    sums = {name: checksum((pack / name).read_bytes()) for name in (ZIP, TABLE, FIGURES)}
    write_json(pack / MANIFEST, Pack(stamps, sums, (), stamps))
    pq.read_metadata(pack / TABLE)


def _write_samples(path: Path, runs: list[Run], cases: tuple[Case, ...], walls: Walls) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    shape = walls.shape
    run, process, case, sample = (axis.ravel() for axis in np.indices(shape))
    texts = {
        "run": ([r.id for r in runs], run),
        "created": ([r.created for r in runs], run),
        "machine": ([r.machine.name for r in runs], run),
        "commit": ([r.revision.commit for r in runs], run),
        "suite": ([c.suite for c in cases], case),
        "case": ([c.id for c in cases], case),
    }
    columns = {
        name: pa.DictionaryArray.from_arrays(codes.astype(np.int32), names).cast(pa.string())
        for name, (names, codes) in texts.items()
    }
    wall = walls.ravel()
    columns |= {
        "process": process,
        "sample": sample,
        "loops": np.full(wall.size, LOOPS),
        "operations": np.ones(wall.size, np.int64),
        "wall_ns": wall / LOOPS,
        "cpu_ns": (wall - 7) / LOOPS,
        "switches": np.zeros(wall.size, np.int64),
    }
    schema = samples_schema()
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, **PARQUET)


def _figures(runs: list[Run], cases: tuple[Case, ...], walls: Walls) -> object:
    """Return the figures of all runs at once: NumPy in place of a loop over runs and cases.

    A process's value is the mean of the lowest two of five samples, the median's interval over six
    processes its extremes; `stats.process_values` and `stats.hodges_lehmann` say why.
    """
    import pyarrow as pa

    values = np.stack([walls - 7, walls], axis=-1) / LOOPS  # runs, passes, cases, samples, clocks
    process = np.sort(values, axis=3)[..., :2, :].mean(axis=3)
    ordered = np.sort(process, axis=1)
    center, low, high = np.median(ordered, axis=1), ordered[:, 0], ordered[:, -1]
    run, case, clock = (axis.ravel().astype(np.int32) for axis in np.indices(center.shape))
    nothing = np.zeros(run.size, np.int32)
    texts = {
        "run": (run, [r.id for r in runs]),
        "case": (case, [c.id for c in cases]),
        "metric": (nothing, ["time"]),
        "unit": (nothing, ["ns"]),
        "better": (nothing, ["lower"]),
        "clock": (clock, ["cpu", "wall"]),
    }
    columns = [pa.DictionaryArray.from_arrays(*of_text) for of_text in texts.values()]
    columns += [pa.array(clock == 0), *(pa.array(v.ravel()) for v in (center, low, high))]
    columns.append(pa.array(np.full(run.size, PASSES, np.int32)))
    return pa.Table.from_arrays(columns, schema=figures_schema())


def generate(folder: Path, runs: int, cases: int = 45, machines: int = 1) -> None:
    """Make the archive; ``folder`` must not be there."""
    packed = max(0, runs - DEFAULT_KEEP)
    demo = demo_cases(cases)
    work = partial(write_pack, folder, demo, runs, machines)
    firsts = range(0, packed, A_PACK)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(work, firsts, [min(first + A_PACK, packed) for first in firsts]))
    for index in range(packed, runs):
        write_loose(folder, index, demo, runs, machines)


def main() -> None:
    """Make the archive that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--machines", type=int, default=1)
    arguments = parser.parse_args()
    generate(arguments.folder, arguments.runs, arguments.cases, arguments.machines)


if __name__ == "__main__":
    main()
