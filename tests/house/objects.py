"""The object files of a build, as nm and objdump see them."""
import re
import subprocess
from functools import lru_cache
from pathlib import Path


def objects(build, known):
    """Source file -> object file, of the known ones: an old build may hold more."""
    found = {}
    for path in Path(build).glob("CMakeFiles/*.dir/**/*.c.o"):
        source = str(path).split(".dir/", 1)[1][:-2]
        if source in known:
            found[source] = path
    return found


@lru_cache(maxsize=None)
def _nm(path, *options):
    return subprocess.run(["nm", *options, path], capture_output=True, text=True, check=True).stdout


def used(path):
    return set(_nm(path, "-u", "--format=just-symbols").split())


def exported(path):
    """Names that other objects can see, without what sanitizers add."""
    lines = (line.split() for line in _nm(path, "-g", "--defined-only").splitlines())
    return {words[-1] for words in lines if not words[-1].startswith("__")}


def mutable(path):
    """Variables in .data or .bss: what is constant after relocation is in .data.rel.ro."""
    table = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True).stdout
    row = re.compile(r"^[0-9a-f]+ .{7} (\S+)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$")
    for line in table.splitlines():
        match = row.match(line)
        if not match or " O " not in line:
            continue
        section, name = match.groups()
        writable = re.match(r"\.(data|bss)", section) and not section.startswith(".data.rel.ro")
        if writable and not name.startswith((".L", "__asan", "__odr_asan", "__ubsan", ".LASAN")):
            yield name
