"""A changed configuration into the running program: SIGHUP, what is heard of it, and what is not."""
import asyncio
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.program import Program
from lib.site.readings import Refused
from lib.site.sim_site import BOILER, HALL, SERVICE, point, switch
from lib.site.stanza import bare
from lib.site.waiting import eventually

PORCH = {"id": "porch", "bus": "sim", "name": "Porch", "points": [
    point("temp", "real", name="Temperature", wave="constant", mean=3.5, decimals=1, unit="°C")]}


def changed(device, **more):
    return {**device, **more}


class Reload(Program):
    async def begin(self, *locals_):
        site = self.new_site()
        owner, = await self.people("owner")
        self.jids = {local: site.jid(local) for local in ("hall.temp", "hall.lamp", "boiler", "porch.temp")}
        await self.own(owner, *locals_)
        return site, owner

    async def own(self, owner, *locals_):
        labels = await asyncio.to_thread(self.site.jidgate.labels)
        for local in locals_:
            await asyncio.to_thread(self.site.jidgate.child.wait_for_line, f"thing '{local}': registered")
            await owner.claim(SERVICE, labels[self.jids[local]].key)
            await owner.befriend(self.jids[local])

    async def reload(self, devices=None, write=True):
        if devices is not None:
            self.site.devices = list(devices)
        return await asyncio.to_thread(self.site.jidgate.reload, write)

    def heard_of(self, person, local, since):
        return [it for it in person.inbox.all[since:] if bare(it.sender) == self.jids[local]]

    async def test_who_does_not_change_notices_nothing(self):
        site, owner = await self.begin("hall.temp", "boiler")
        self.assertEqual((await owner.read(self.jids["hall.temp"]))["temp"], "21.5")
        since = len(owner.inbox.all)
        said = await self.reload([HALL, PORCH])
        self.assertIn("device 'porch': added", said)
        self.assertIn("device 'boiler': gone", said)
        self.assertIn("reloaded: 1 devices added, 0 changed, 1 gone, 1 as before", said)
        await owner.expect_presence(self.jids["boiler"], "unavailable")
        self.assertEqual(self.heard_of(owner, "hall.temp", since), [])
        self.assertEqual((await owner.read(self.jids["hall.temp"]))["temp"], "21.5")
        with self.assertRaises(Refused):
            await owner.read(self.jids["boiler"])
        told = site.jidgate.listen()
        begun = told.index("RELOADING=1")
        await asyncio.to_thread(eventually, lambda: "READY=1" in site.jidgate.listen()[begun:], "READY after RELOADING")
        await self.own(owner, "porch.temp")
        self.assertEqual((await owner.read(self.jids["porch.temp"]))["temp"], "3.5")

    async def test_who_comes_back_has_his_owner_and_his_friends(self):
        _, owner = await self.begin("boiler")
        await self.reload([HALL])
        await owner.expect_presence(self.jids["boiler"], "unavailable")
        await self.reload([HALL, BOILER])
        await owner.expect_presence(self.jids["boiler"])
        self.assertEqual((await owner.read(self.jids["boiler"]))["temp"], "48.7")
        self.assertIn(self.jids["boiler"], await owner.things(SERVICE))

    async def test_a_mistake_leaves_what_runs_as_it_is(self):
        site, owner = await self.begin("hall.lamp")
        file = site.jidgate.file
        good = file.read_text()
        since = len(owner.inbox.all)
        file.write_text(good.replace("devices = (", "devices = ( {", 1))
        said = await self.reload(write=False)
        self.assertRegex(said, rf"{file}:\d+: ")
        self.assertIn("reload: not taken over, what runs stays: there are mistakes in it", said)
        file.write_text(good.replace('"held"', '"hold"', 1))
        said = await self.reload(write=False)
        self.assertRegex(said, rf"{file}:\d+: device 'hall': point 'lamp': wave: must be")
        self.assertIn("device 'hall': stays as it runs: there is a mistake in its new configuration", said)
        self.assertIn("0 devices added, 0 changed, 0 gone, 1 as before", said)
        self.assertEqual(self.heard_of(owner, "hall.lamp", since), [])
        await owner.set(self.jids["hall.lamp"], ("boolean", "Lamp", "true"))
        file.write_text(good.replace('name = "Boiler house"', 'name = "House"', 1))
        self.assertIn("gateway: it has changed, and that needs a restart", await self.reload(write=False))

    async def test_a_new_range_is_of_the_same_thing(self):
        _, owner = await self.begin("boiler")
        with self.assertRaises(Refused):
            await owner.set(self.jids["boiler"], ("int", "Set level", 15))
        points = [changed(it, max=20) if it["id"] == "level" else it for it in BOILER["points"]]
        said = await self.reload([HALL, changed(BOILER, points=points)])
        self.assertIn("0 devices added, 1 changed, 0 gone, 1 as before", said)
        await owner.set(self.jids["boiler"], ("int", "Set level", 15))
        self.assertEqual(await owner.things(SERVICE), {self.jids["boiler"]: "Boiler"})

    async def test_a_name_is_told_and_a_bus_that_changes_is_opened_again(self):
        site, owner = await self.begin("hall.temp")
        await self.reload([changed(HALL, name="Corridor"), BOILER])
        presence = await owner.expect_presence(self.jids["hall.temp"])
        self.assertIn("Corridor Temperature", str(presence))
        since = len(owner.inbox.all)
        site.buses = [{"id": "sim", "protocol": "sim", "delay": "1ms"}]
        said = await self.reload()
        self.assertIn("bus 'sim': changed", said)
        self.assertEqual((await owner.read(self.jids["hall.temp"]))["temp"], "21.5")
        self.assertEqual([it for it in self.heard_of(owner, "hall.temp", since) if it.name == "presence"], [])
        site.buses = [{"id": "sim", "protocol": "sim"}, {"id": "other", "protocol": "sim"}]
        await self.reload([changed(HALL, bus="other"), BOILER])
        self.assertEqual((await owner.read(self.jids["hall.temp"]))["temp"], "21.5")
        site.buses = [{"id": "other", "protocol": "sim"}]
        await self.reload([changed(HALL, bus="other")])
        self.assertEqual((await owner.read(self.jids["hall.temp"]))["temp"], "21.5")

    async def test_the_command_line_hears_what_happened(self):
        site, _ = await self.begin()
        site.devices = [HALL, PORCH]
        site.jidgate.write()
        status, out, _ = await asyncio.to_thread(site.jidgate.words, "reload")
        self.assertEqual(status, 0)
        self.assertIn("reloaded: 1 devices added, 0 changed, 1 gone, 1 as before", out)
        self.assertEqual((await asyncio.to_thread(site.jidgate.words, "forget", "boiler"))[0], 0)
        site.jidgate.file.write_text(site.jidgate.file.read_text().replace('protocol = "sim"', 'protocol = "sin"', 1))
        status, out, err = await asyncio.to_thread(site.jidgate.words, "reload")
        self.assertEqual(status, 1)
        self.assertIn(f"{site.jidgate.file}:", out + err)

    async def test_two_hundred_reloads_under_load_leave_nothing_behind(self):
        site, owner = await self.begin("hall.lamp")
        busy = True

        async def load():
            n = 0
            while busy:
                await owner.read(self.jids["hall.lamp"])
                await owner.set(self.jids["hall.lamp"], ("boolean", "Lamp", "true" if n % 2 else "false"))
                n += 1
            return n
        work = asyncio.create_task(load())
        lots = [changed(PORCH, id=f"porch{i}", points=PORCH["points"] + [switch("lamp")]) for i in range(20)]
        for i in range(100):
            await self.reload([HALL, BOILER, *lots])
            await self.reload([HALL, changed(BOILER, name=f"Boiler {i}"), *lots[i % 20:]])
        busy = False
        self.assertGreater(await work, 50)
        self.assertEqual(self.lines("ERROR"), [])


if __name__ == "__main__":
    unittest.main()
