"""What was seen, read over a real server: by hand, by slixmpp's plugin, after a stop, and not by the next owner."""
import asyncio
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.sim_site import SERVICE, SimSite, point
from lib.site.stanza import SENSORDATA

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
MUCH = 60
CELLAR = {"id": "cellar", "bus": "sim", "name": "Cellar", "things": "device", "history": "1h", "points": [
    point("n", "int", wave="counter", period="200ms"),
    *(point(f"p{i}", "int", wave="counter", period="20ms", poll="20ms") for i in range(MUCH)),
    point("still", "real", wave="constant", mean=21.5, decimals=2, unit="°C"),
    point("secret", "int", wave="counter", history="0s", period="200ms")]}


class Site(SimSite):
    def settings(self):
        return super().settings() | {"gateway": {"history": {"file": "2h"}}}


class History(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # slixmpp's plugins leave errors unread
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = Site(Path(folder.name), BUILD, devices=(CELLAR,))
        self.addCleanup(self.site.stop)
        self.site.start_server()
        await asyncio.to_thread(self.site.jidgate.start)
        self.cellar = self.site.jid("cellar")
        self.owner = await self.enterAsyncContext(self.site.peer(Actor, "owner"))
        await self.owner.claim(SERVICE, self.site.jidgate.labels()[self.cellar].key)
        await self.owner.befriend(self.cellar)

    async def past(self, *fields, **flags):
        """[(name, time, value, attributes)] in the order in which they came, and the readout."""
        readout = await self.owner.read(self.cellar, fields=fields, **(flags or {"historical": "true"}))
        values = [(it.get("name"), timestamp.get("value"), it.get("value"), dict(it.attrib))
                  for message in readout.messages for part in message.children() if message.child("fields", SENSORDATA) is part
                  for node in part for timestamp in node for it in timestamp]
        return values, readout

    async def grown(self, name, n):
        async with asyncio.timeout(20):
            while len(values := (await self.past(name))[0]) < n:
                await asyncio.sleep(0.05)
        return values

    async def test_is_what_was_counted_in_its_order(self):
        values = await self.grown("n", 8)
        numbers, times = [int(value) for _, _, value, _ in values], [time for _, time, _, _ in values]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(times, sorted(times))
        self.assertEqual({"historicalOther", "automaticReadout"} & set(values[0][3]), {"historicalOther", "automaticReadout"})
        middle, _ = await self.past("n", historical="true", **{"from": times[3], "to": times[5]})
        self.assertEqual([value for _, _, value, _ in middle], [str(n) for n in numbers[3:6]])
        self.assertEqual([it[2] for it in (await self.past("still"))[0]], ["21.50"])
        self.assertEqual((await self.past("secret"))[0], [])

    async def test_comes_in_parts_and_then_what_is_now(self):
        await self.grown("p0", 60)
        values, readout = await self.past(historical="true", momentary="true")
        self.assertGreater(len(readout.messages), 3)
        parts = [message.child("fields", SENSORDATA) for message in readout.messages]
        self.assertEqual([part.get("done") for part in parts], [None] * (len(parts) - 1) + ["true"])
        self.assertIn("momentary", values[-1][3])
        self.assertEqual({name for name, _, _, _ in values}, {it["id"] for it in CELLAR["points"]})

    async def test_is_read_by_slixmpp(self):
        await self.grown("n", 5)
        end, words, values = asyncio.get_running_loop().create_future(), [], []

        def heard(result, timestamp=None, fields=(), **_):
            words.append(result)
            values.extend((timestamp, it["name"], it["value"]) for it in fields)
            if result in ("done", "rejected", "failure") and not end.done():
                end.set_result(None)

        self.owner.stream["xep_0323"].request_data(self.owner.jid, self.owner.address_of(self.cellar), heard, fields=["n"],
                                                   flags={"historical": "true"})
        await asyncio.wait_for(end, 10)
        self.assertEqual(list(dict.fromkeys(words)), ["accepted", "fields", "done"])
        self.assertGreaterEqual(len(values), 5)
        self.assertEqual({name for _, name, _ in values}, {"n"})

    async def test_is_there_after_a_stop_and_not_for_the_next_owner(self):
        before = await self.grown("n", 5)
        await asyncio.to_thread(self.site.jidgate.stop)
        written = sum(it.stat().st_size for it in (self.site.jidgate.folder / "state" / "history").iterdir())
        self.assertLess(written, 200_000)
        await asyncio.to_thread(self.site.jidgate.start)
        await self.owner.expect_presence(self.cellar)
        after, _ = await self.past("n")
        self.assertEqual([it[:3] for it in after[:len(before)]], [it[:3] for it in before])
        self.assertEqual(self.site.jidgate.words("reset", "cellar")[0], 0)
        await asyncio.to_thread(self.site.jidgate.stop)
        await asyncio.to_thread(self.site.jidgate.start)
        async with asyncio.timeout(20):
            while not (label := self.site.jidgate.labels()[self.cellar]).key:
                await asyncio.sleep(0.05)
        await self.owner.claim(SERVICE, label.key)
        await self.owner.befriend(self.cellar)
        late, _ = await self.past("n")
        self.assertFalse({it[1] for it in late} & {it[1] for it in after}, "what was before the reset is gone")


if __name__ == "__main__":
    unittest.main()
