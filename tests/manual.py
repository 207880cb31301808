#!/usr/bin/env python3
"""Holds the parts of docs/manual.md that the program prints itself against what it prints: manual.py [--write] JIDGATE.

A part stands between <!-- begin: jidgate WORDS --> and <!-- end -->; --write puts it there.
"""
import difflib
import re
import subprocess
import sys
from pathlib import Path

MANUAL = Path(__file__).resolve().parents[1] / "docs" / "manual.md"
PART = re.compile(r"(<!-- begin: jidgate ([a-z ]+) -->\n)(.*?)(<!-- end -->)", re.S)


def printed(program, words):
    out = subprocess.run([program, *words.split()], capture_output=True, text=True, check=True).stdout.strip("\n")
    return out + "\n" if "| --- |" in out else f"```\n{out}\n```\n"


def wanted(program, text):
    return PART.sub(lambda part: part[1] + printed(program, part[2]) + part[4], text)


def main():
    write, program = "--write" in sys.argv, sys.argv[-1]
    there = MANUAL.read_text(encoding="utf-8")
    right = wanted(program, there)
    if len(PART.findall(there)) != 2:
        sys.exit("docs/manual.md: the two parts that the program prints are not there")
    if write:
        MANUAL.write_text(right, encoding="utf-8")
    elif there != right:
        sys.stdout.writelines(difflib.unified_diff(there.splitlines(True), right.splitlines(True), "manual.md", "jidgate"))
        sys.exit("docs/manual.md is not what the program prints: build the target `manual`")


if __name__ == "__main__":
    main()
