"""The source text: files, includes, functions."""
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def files(*suffixes):
    for folder in ("core", "bridges"):
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in suffixes:
                yield str(path.relative_to(TOP))


def text_of(file):
    return (TOP / file).read_text(encoding="utf-8")


def types_of(header):
    """Structs and enums that a header names at the beginning of a line."""
    if not (TOP / header).exists():
        return set()
    return set(re.findall(r"^(?:struct|enum) (\w+)(?: \{|;)", text_of(header), re.M))


def includes(file):
    return re.findall(r'^#include ([<"])([^>"]+)[>"]', text_of(file), re.M)


def room_of(file, floors):
    folder = file.rsplit("/", 1)[0]
    while folder not in floors:
        folder = folder.rsplit("/", 1)[0]
    return folder


def functions(file):
    """(first line, name, lines) of each function: clang-format puts its braces into column 0."""
    lines = text_of(file).splitlines()
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            name = next((m.group(1) for at in range(begin - 2, max(begin - 8, -1), -1)
                         if (m := re.search(r"(\w+)\(", lines[at]))), "?")
            yield begin, name, number - begin - 1
            begin = None
