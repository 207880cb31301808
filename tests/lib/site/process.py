"""Child processes that die with us, write to a log of their own and are ended by their id."""
import ctypes
import os
import signal
import subprocess
from pathlib import Path

from .waiting import Failed, eventually

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # found before fork: the child only calls


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """A program in the foreground, in a session of its own so that Ctrl-C reaches only us."""

    def __init__(self, command, log: Path, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.command = [str(word) for word in command]
        self.log = log
        self._begins = log.stat().st_size if log.exists() else 0
        with open(log, "ab") as out:
            try:
                self._process = subprocess.Popen(
                    self.command, stdin=stdin, stdout=out, stderr=subprocess.STDOUT, env=env, cwd=cwd,
                    start_new_session=True, preexec_fn=die_with_parent)
            except FileNotFoundError:
                raise Failed(f"there is no {self.command[0]}") from None
        self.stdin = self._process.stdin

    @property
    def pid(self):
        return self._process.pid

    @property
    def status(self):
        """None while it runs, else the exit status (negative: the signal)."""
        return self._process.poll()

    def output(self):
        """What this run has written so far."""
        with open(self.log, "rb") as log:
            log.seek(self._begins)
            return log.read().decode(errors="replace")

    def wait_for(self, look, what, timeout=10.0):
        """eventually(), but not a moment longer than the child lives."""
        def look_or_die():
            seen = look()
            if not seen and self.status is not None:
                raise Failed(f"{self.command[0]} ended with {self.status} before {what}:\n{self.tail()}")
            return seen
        try:
            return eventually(look_or_die, what, timeout)
        except Failed as e:
            if self.status is None:
                raise Failed(f"{e}; {self.command[0]} said:\n{self.tail()}") from None
            raise

    def wait_for_line(self, text, timeout=10.0):
        return self.wait_for(lambda: text in self.output(), f"'{text}' in the log", timeout)

    def wait_for_end(self, timeout=10.0):
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.command[0]} still runs after {timeout:g} s:\n{self.tail()}") from None

    def tail(self, lines=20):
        return "\n".join(self.output().splitlines()[-lines:])

    def signal(self, number):
        if self.status is None:
            self._process.send_signal(number)

    def kill(self):
        """SIGKILL, to what it may have started too, and wait for the end."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        if self.stdin:
            self.stdin.close()

    def stop(self, timeout=5.0):
        """Asks, waits, then kills. The exit status."""
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            pass
        self.kill()
        return self.status


def run(command, timeout=20.0, **options):
    """A tool that ends by itself: (status, stdout, stderr)."""
    try:
        done = subprocess.run([str(word) for word in command], timeout=timeout, capture_output=True, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **options)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} did not end within {timeout:g} s") from None
    except FileNotFoundError:
        raise Failed(f"there is no {command[0]}") from None
    return done.returncode, done.stdout, done.stderr


def must_run(command, **options):
    """The stdout of a tool that has to succeed."""
    status, out, err = run(command, **options)
    if status:
        raise Failed(f"{' '.join(map(str, command))}: exit {status}: {(err or out).strip()}")
    return out
