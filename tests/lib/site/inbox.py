"""Everything a peer received, in order, and waiting for what is still to come."""
import asyncio

from .waiting import Failed

TIMEOUT = 10.0
SHOWN = 8  # stanzas in the sentence of a failure


class Inbox:
    """expect() hands out each stanza once, so a second expect() of the same kind waits for a new one."""

    def __init__(self, whose):
        self.whose = whose
        self.all = []
        self._fresh = []
        self._closed = None
        self._arrival = asyncio.Event()

    def add(self, stanza):
        self.all.append(stanza)
        self._fresh.append(stanza)
        self._wake()

    def open(self):
        self._closed = None

    def close(self, why):
        """Nothing more will come; whoever waits fails at once."""
        self._closed = str(why)
        self._wake()

    def _wake(self):
        self._arrival.set()
        self._arrival = asyncio.Event()

    def _take(self, matches):
        for stanza in self._fresh:
            if matches(stanza):
                self._fresh.remove(stanza)
                return stanza
        return None

    def forget(self):
        """What came so far is no answer to what is expected from now on."""
        self._fresh.clear()

    def seen(self, matches):
        """Everything so far that matches, handed out before or not."""
        return [stanza for stanza in self.all if matches(stanza)]

    async def expect(self, matches, what, timeout=TIMEOUT):
        try:
            async with asyncio.timeout(timeout):
                while True:
                    stanza = self._take(matches)
                    if stanza:
                        return stanza
                    if self._closed is not None:
                        raise Failed(f"{self.whose} lost the connection ({self._closed}) before {what}")
                    await self._arrival.wait()
        except TimeoutError:
            raise Failed(f"{self.whose} waited {timeout:g} s for {what}; the last to come:\n{self._last()}") from None

    def _last(self):
        return "\n".join(f"  {stanza}" for stanza in self.all[-SHOWN:]) or "  nothing"
