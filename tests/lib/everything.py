#!/usr/bin/python3
"""Runs the C tests of a build, the house rules and the site tests, counts each single test, ends with `N passed, M failed`.

    everything.py BUILD [WORD...]
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
from lib.site.process import die_with_parent

ENVIRONMENT = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1",  # without abort a leak at exit passes in Criterion
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}
# Criterion's closing line. What crashed is among what failed, unless it was after its end: that is a leak, mostly, and
# counts as passed there.
SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) ")
AFTERWARDS = re.compile(r"The test `(.*?)` crashed during its setup or teardown")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
KEPT = "1000000"  # bytes of a test program's output


class Score:
    def __init__(self):
        self.passed, self.failures = 0, []

    def fail(self, what):
        self.failures.append(what)


def count_program(score, name, passed, output):
    """One test of CTest: a Criterion binary with many tests in it, or a plain program that is one."""
    output = COLOUR.sub("", output)
    found = SYNTHESIS.search(output)
    if not found:
        return score.fail(name) if not passed else setattr(score, "passed", score.passed + 1)
    tested, passing = map(int, found.groups())
    failing = tested - passing
    leaking = len(AFTERWARDS.findall(output))
    score.passed += passing - leaking
    for _ in range(failing + leaking):
        score.fail(name)
    if not tested:
        score.fail(f"{name} ran no test")
    elif not passed and not failing + leaking:
        score.fail(f"{name} ended badly after its tests")
    return None


def run_c_tests(score, build, words):
    """CTest prints the output of what fails; the numbers are in its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        choice = ["-R", "|".join(map(re.escape, words))] if words else []
        status = subprocess.run(
            ["ctest", "--test-dir", build, "-j", str(os.cpu_count()), "--output-on-failure", "--output-junit", report,
             "--test-output-size-passed", KEPT, "--test-output-size-failed", KEPT, "--test-output-truncation", "head",
             *choice], env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent).returncode
        cases = list(ET.parse(report).getroot().iter("testcase")) if report.exists() else []
    for case in cases:
        count_program(score, case.get("name"), case.get("status") == "run", case.findtext("system-out") or "")
    if status and not score.failures:
        score.fail(f"ctest ended with {status}")
    if not cases and not words:
        score.fail("ctest ran nothing")


def chosen(suite, words):
    for it in suite:
        if isinstance(it, unittest.TestSuite):
            yield from chosen(it, words)
        elif not words or any(word in it.id() for word in words):
            yield it


class Counting(unittest.TextTestResult):
    good = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.good += 1


def run_python_tests(score, build, words):
    os.environ["JIDGATE_BUILD"] = str(Path(build).resolve())
    os.environ.update(ENVIRONMENT)
    found = [unittest.TestLoader().discover(str(TESTS / folder)) for folder in ("house", "site")]
    tests = unittest.TestSuite(chosen(unittest.TestSuite(found), words))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counting).run(tests)
    score.passed += result.good
    for test in [*(test for test, _ in result.failures + result.errors), *result.unexpectedSuccesses]:
        score.fail(test.id())
    if not result.testsRun and not words:
        score.fail("there are no Python tests")


def main(build, *words):
    score = Score()
    run_c_tests(score, build, words)
    sys.stdout.flush()
    run_python_tests(score, build, words)
    for failure in score.failures:
        print(f"FAILED {failure}")
    print(f"{score.passed} passed, {len(score.failures)} failed", flush=True)
    return 1 if score.failures or not score.passed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
