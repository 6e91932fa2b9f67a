"""The part of the build that compiles ``veperf/_native/src``, where a C compiler is at hand.

A wheel with the kernels is for one platform and every CPython from 3.11 (the stable ABI); without
a compiler it is the same wheel without them, for any platform. An editable installation gets them
beside their sources.
"""

import re
import runpy
import shutil
import sys
import sysconfig
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension

ROOT = Path(__file__).resolve().parent
NATIVE = "veperf/_native"
ABI = "cp311-abi3"


def build_kernels(folder: Path) -> Path | None:
    """Compile the kernels into ``folder``, and return the library.

    None where there is no compiler, or it can't compile them.
    """
    digest = runpy.run_path(str(ROOT / NATIVE / "__init__.py"))["digest_sources"]()
    extension = Extension(
        "veperf._native.kernels",
        [f"{NATIVE}/src/module.c"],
        define_macros=[("SOURCES", f'"{digest}"')],
        extra_compile_args=["-O2", "-g0", "-fwrapv", "-fvisibility=hidden"],
        py_limited_api=True,
    )
    command = Distribution({"ext_modules": [extension]}).get_command_obj("build_ext")
    command.build_lib = str(folder)
    command.build_temp = str(folder / "objects")
    try:
        with chdir(ROOT):
            command.ensure_finalized()
            command.run()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with the compiler
        print(f"no compiled kernels, Python's own code will run: {error}", file=sys.stderr)
        return None
    return Path(command.get_ext_fullpath(extension.name))


def build_in_place() -> Path | None:
    """Compile the kernels to beside their sources, and return the library; None as above.

    A process that starts meanwhile has the former ones, whole.
    """
    with tempfile.TemporaryDirectory() as folder:
        library = build_kernels(Path(folder))
        built = library and Path(shutil.copy(library, ROOT / NATIVE / f".new-{library.name}"))
    built = built and built.replace(built.with_name(built.name.removeprefix(".new-")))
    for former in (ROOT / NATIVE).glob("kernels.*.so"):
        if former != built:
            former.unlink()
    return built


class KernelsBuildHook(BuildHookInterface[Any]):
    """Adds the compiled kernels to the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say what the wheel is for; ``version`` is "standard" or "editable"."""
        if version == "editable":
            build_in_place()
            return
        self._folder = tempfile.TemporaryDirectory()
        library = build_kernels(Path(self._folder.name))
        if library is None:
            return
        build_data["force_include"][str(library)] = f"{NATIVE}/{library.name}"
        build_data["pure_python"] = False
        # A cross-compiling tool names another platform in the environment, for this function, too.
        platform = re.sub("[-.]", "_", sysconfig.get_platform())
        build_data["tag"] = f"{ABI}-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the compiled library, which the wheel holds now."""
        if version != "editable":
            self._folder.cleanup()


if __name__ == "__main__":
    sys.exit(build_in_place() is None)
