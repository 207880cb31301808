"""Waiting for something to become true, never longer than told."""
import time

STEP = 0.01  # seconds between two looks at something that cannot tell us by itself


class Failed(Exception):
    """Something did not happen; the text says what."""


def eventually(look, what, timeout=10.0):
    """The first true answer of look(). Failed with `what` when there is none within the timeout."""
    end = time.monotonic() + timeout
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failed(f"waited {timeout:g} s for {what}")
        time.sleep(STEP)
