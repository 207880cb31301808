"""The program as an installer meets it: labels, a power failure at any moment, what is not there or goes away, systemd, install."""
import asyncio
import os
import random
import re
import signal
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.devices import ModbusDevice
from lib.site.mosquitto import Mosquitto
from lib.site.ports import UDP, free_port
from lib.site.process import must_run, run
from lib.site.program import BUILD, Program
from lib.site.readings import Refused
from lib.site.sim_site import HALL, SERVICE, switch
from lib.site.stanza import SENSORDATA, element
from lib.site.waiting import Failed, eventually

SOURCE = Path(__file__).resolve().parents[2]
KEY = re.compile(r"([2-9A-HJ-NP-Z]{4}-){5}[2-9A-HJ-NP-Z]{4}")


class Labels(Program):
    def words(self, *words):
        return self.site.jidgate.words("labels", *words)

    async def test_are_there_before_the_first_start_and_stay_the_same(self):
        site = self.new_site(start=False)
        site.jidgate.configure()
        status, out, err = self.words("--format", "tsv")
        self.assertEqual((status, err.count("error")), (0, 0), err)
        rows = [line.split("\t") for line in out.splitlines()]
        self.assertEqual({(row[0], row[2]) for row in rows}, {
            (site.jid("hall.temp"), "Hall Temperature"), (site.jid("hall.lamp"), "Hall Lamp"), (site.jid("boiler"), "Boiler")})
        for row in rows:
            self.assertRegex(row[1], KEY)
        self.assertEqual(len({row[1] for row in rows}), 3)
        site.jidgate.start()
        self.assertEqual(self.words("--format", "tsv"), (0, out, err), "beside the daemon")
        site.jidgate.kill()
        self.assertEqual(self.words("--format", "tsv"), (0, out, err), "after a kill")
        self.assertEqual(self.words("--format", "pdf")[0], 2)

    async def test_show_no_key_of_what_is_owned_also_without_the_daemon(self):
        site = self.new_site()
        before = site.jidgate.labels()
        owner, = await self.people("owner")
        jid = site.jid("hall.lamp")
        await owner.claim(SERVICE, before[jid].key)
        wanted = {it: "" if it == jid else label.key for it, label in before.items()}
        await asyncio.to_thread(eventually, lambda: self.keys() == wanted, "the key to go")
        self.assertEqual(await asyncio.to_thread(site.jidgate.stop), 0)
        self.assertEqual(self.keys(), wanted)
        text = self.words()[1]
        self.assertIn("(claimed)", text)
        self.assertNotIn(before[jid].key, text)

    def keys(self):
        return {jid: label.key for jid, label in self.site.jidgate.labels().items()}

    async def test_are_renewed_by_a_reset_and_go_with_forget(self):
        site = self.new_site()
        owner, anna = await self.people("owner", "anna")
        before = self.keys()
        jid = site.jid("hall.lamp")
        await owner.claim(SERVICE, before[jid])
        await owner.befriend(jid)
        await owner.decide(SERVICE, friends=[anna.bare_jid], thing=jid)
        await anna.befriend(jid)
        self.assertEqual(site.jidgate.words("forget", "hall.lamp")[0], 1, "it is still in the configuration")
        self.assertEqual(site.jidgate.words("reset", "nothing")[0], 1)
        await asyncio.to_thread(site.jidgate.stop)
        self.assertEqual(site.jidgate.words("reset", jid)[0], 0)
        for person in (owner, anna):
            person.inbox.forget()
        await asyncio.to_thread(site.jidgate.start)
        for person in (owner, anna):
            await person.expect_presence(jid, "unsubscribed")
            await person.refused_read(jid)
        key = await asyncio.to_thread(eventually, lambda: self.keys()[jid], "a new key")
        self.assertNotEqual(key, before[jid])
        with self.assertRaises(Refused):
            await anna.claim(SERVICE, before[jid])
        await asyncio.to_thread(self.lines_until, "registered", "hall.lamp")
        self.assertEqual(await anna.claim(SERVICE, key), [jid])
        await anna.befriend(jid)

        site.devices = [it for it in site.devices if it is not HALL]
        await asyncio.to_thread(site.jidgate.stop)
        site.jidgate.configure()
        self.assertEqual(site.jidgate.words("forget", "hall.lamp")[0], 0)
        anna.inbox.forget()
        await asyncio.to_thread(site.jidgate.start)
        await anna.expect_presence(jid, "unsubscribed")
        await asyncio.to_thread(eventually, lambda: not asyncio.run_coroutine_threadsafe(anna.things(SERVICE), self.loop).result(),
                                "the service to forget it")

    async def asyncSetUp(self):
        self.loop = asyncio.get_running_loop()

    def lines_until(self, *fragments):
        return eventually(lambda: self.lines(*fragments, level="34567"), f"{fragments} in the log")


N_THINGS, N_KILLS = 8, 8


class PowerFailure(Program):
    """kill -9 in the middle of claims and decisions. What somebody was told holds, and the two sides agree in the end."""

    async def asyncSetUp(self):
        points = [switch(f"p{n}") for n in range(N_THINGS)]
        self.new_site(devices=[{"id": "box", "bus": "sim", "name": "Box", "points": points}])
        self.owner, self.anna = await self.people("owner", "anna")
        self.promises = 0
        self.jids = [self.site.jid(f"box.p{n}") for n in range(N_THINGS)]
        self.keys = {jid: label.key for jid, label in self.site.jidgate.labels().items()}
        self.owned, self.decided, self.wished, self.random = set(), {}, {}, random.Random(7)

    def heard(self, jid, since):
        """The last word to Anna about this thing in this round."""
        words = [s.type for s in self.anna.inbox.all[since:] if s.name == "presence" and s.sender == jid and "subscribed" in s.type]
        return words[-1] if words else None

    async def act(self, jid):
        """Claims what is not owned, else the owner changes his mind and Anna asks again."""
        if jid not in self.owned:
            await self.owner.claim(SERVICE, self.keys[jid])
            self.owned.add(jid)
        yes = not self.decided.get(jid, False)
        self.decided[jid], self.wished[jid] = None, yes  # nobody knows what is kept, if anything
        await self.owner.decide(SERVICE, **{"friends" if yes else "strangers": [self.anna.bare_jid]}, thing=jid)
        self.decided[jid] = yes
        if yes:
            self.anna.subscribe(jid)

    async def play_until_killed(self):
        self.wished.clear()
        tasks = [asyncio.create_task(self.act(jid)) for jid in self.random.sample(self.jids, 5)]
        await asyncio.wait(tasks, timeout=self.random.uniform(0.0, 0.12))  # the moment is any moment
        self.site.jidgate.kill()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def may_read(self, jid):
        answer = await self.anna.ask("get", jid, self.anna.request("1"))
        return answer.type == "result"

    async def check_keys(self):
        for jid, label in (await asyncio.to_thread(self.site.jidgate.labels)).items():
            self.assertIn(label.key, ("", self.keys[jid]), f"{jid}: a new key would be a factory reset")

    async def check_promises(self, told):
        for jid, word in told.items():
            if word == "unsubscribed" and self.wished.get(jid) is False:
                self.assertFalse(await self.may_read(jid), f"{jid}: she was told no")
            if word == "subscribed" and self.wished.get(jid) is True:
                self.assertTrue(await self.may_read(jid), f"{jid}: she was told yes")
            self.promises += word is not None

    async def agree(self, jid):
        """What the service has durably is what the thing does, once they have talked."""
        wanted = self.anna.bare_jid in await self.owner.friends_of(SERVICE, jid)
        if self.decided[jid] is not None:
            self.assertEqual(wanted, self.decided[jid], f"{jid}: the service said it was done")
        async with asyncio.timeout(10):
            if wanted and not await self.may_read(jid):
                self.anna.subscribe(jid)
            while await self.may_read(jid) != wanted:
                await asyncio.sleep(0.02)
        self.decided[jid] = wanted

    async def test_never_loses_a_word_that_was_given(self):
        for _ in range(N_KILLS):
            since = len(self.anna.inbox.all)
            await self.play_until_killed()
            told = {jid: self.heard(jid, since) for jid in self.jids}
            await self.check_keys()
            await asyncio.to_thread(self.site.jidgate.start)
            await self.check_promises(told)
            things = await self.owner.things(SERVICE)
            self.assertLessEqual(self.owned, set(things))
            self.owned |= set(things)
            for jid in self.owned & set(self.decided):
                await self.agree(jid)
            await self.check_keys()
        self.assertGreater(len(self.owned), 3)
        self.assertGreater(self.promises, 3)
        labels = await asyncio.to_thread(self.site.jidgate.labels)
        self.assertEqual({jid for jid, label in labels.items() if not label.key}, self.owned)


class Away(Program):
    """What is not there at start or goes away: ready all the same, one line each, the friends see it, the rest goes on."""

    async def test_buses_that_come_late_and_go_away(self):
        folder = self.new_folder()
        broker, plc = Mosquitto(folder), ModbusDevice(folder, BUILD)
        for it in (broker, plc):
            self.addCleanup(it.stop)
            it.start()
            it.kill()
        buses = [{"id": "sim", "protocol": "sim"}, {"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": broker.port},
                 {"id": "plc", "protocol": "modbus-tcp", "host": "127.0.0.1", "port": plc.port, "timeout": "500ms"},
                 {"id": "mesh", "protocol": "coap"}]
        quick = {"min_interval": "0s"}
        devices = [HALL, {"id": "lamp", "bus": "broker", "topic": "lamp", "points": [
                       {"id": "state", "type": "bool", "path": "/state", "on": "ON", "off": "OFF", **quick}]},
                   {"id": "tank", "bus": "plc", "unit_id": 1, "addressing": "protocol", "points": [
                       {"id": "temp", "type": "int16", "table": "input", "address": 0, "poll": "200ms", "scale": 0.1, **quick}]},
                   {"id": "garden", "bus": "mesh", "uri": f"coap://127.0.0.1:{free_port(UDP)}",
                    "points": [{"id": "temp", "type": "real", "path": "/t", "poll": "300ms", **quick}]}]
        site = self.new_site(start=False, buses=buses, devices=devices)
        await asyncio.to_thread(site.jidgate.start)
        self.assertIn("STATUS=XMPP up; 2 of 4 buses up; 5 things", await self.told("STATUS=XMPP up"))
        await self.come_up(1, broker, plc)
        broker.publish("lamp", '{"state": "ON"}')
        owner, = await self.people("owner")
        hall, lamp, tank, garden = [site.jid(it) for it in ("hall.temp", "lamp.state", "tank.temp", "garden.temp")]
        for jid, label in site.jidgate.labels().items():
            await owner.claim(SERVICE, label.key)
            await owner.befriend(jid)
        await self.sees(owner, garden, "dnd")
        await self.sees(owner, lamp, None, "true")
        await self.sees(owner, tank, None, "48.7")
        self.assertEqual((await owner.read(tank))["temp"], "48.7")

        broker.kill()
        plc.kill()
        await self.sees(owner, lamp, "dnd", "last true")
        await self.sees(owner, tank, "dnd", "last 48.7")
        for jid in (lamp, tank, garden):  # asked, it says what is wrong and no value
            readout = await owner.read(jid)
            self.assertEqual((readout.values, len(readout.failures)), ({}, 1))
        self.assertEqual((await owner.read(hall))["temp"], "21.5", "the rest goes on")
        await self.come_up(2, broker, plc)
        await self.sees(owner, tank, None, "48.7")
        broker.publish("lamp", '{"state": "OFF"}')
        await self.sees(owner, lamp, None, "false")
        for bus in ("broker", "plc"):
            self.assertEqual([len(self.lines(f"bus '{bus}': {word}")) for word in ("away", "up", "still")], [2, 2, 0], self.log())
        self.assertEqual(len(self.lines("garden.temp", level="34")), 1, self.lines("garden.temp"))

    async def come_up(self, count, *servers):
        for it in servers:
            await asyncio.to_thread(it.start)
        for bus in ("broker", "plc"):
            await asyncio.to_thread(eventually, lambda bus=bus: len(self.lines(f"bus '{bus}': up")) == count, bus, 30)

    async def told(self, begin):
        return await asyncio.to_thread(eventually, lambda: [it for it in self.site.jidgate.listen() if it.startswith(begin)],
                                       begin)

    async def sees(self, person, jid, show, fragment=""):
        def fits(stanza):
            return stanza.text_of("show") == show and fragment in (stanza.text_of("status") or "")
        if not any(fits(it) for it in person.present.get(jid, {}).values()):
            await person.expect_presence(jid, where=fits, timeout=20)

    async def test_a_server_that_comes_late_and_goes_away(self):
        site = self.new_site(start=False)
        site.server.kill()
        site.jidgate.launch()
        await asyncio.to_thread(eventually, lambda: self.lines("xmpp: away: "), "the first attempt")
        self.assertEqual((await self.told("STATUS="))[-1], "STATUS=waiting for XMPP; 1 of 1 buses up; 3 things")
        self.assertNotIn("READY=1", site.jidgate.listen())
        await asyncio.to_thread(site.server.start)
        await asyncio.to_thread(eventually, site.jidgate.is_ready, "READY", 20)
        owner, = await self.people("owner")
        jid = site.jid("hall.lamp")
        await owner.claim(SERVICE, site.jidgate.labels()[jid].key)
        await owner.befriend(jid)
        await owner.leave()
        site.server.kill()
        await asyncio.to_thread(eventually, lambda: len(self.lines("xmpp: away: ")) == 2, "the loss")
        await asyncio.to_thread(eventually, lambda: self.lines("xmpp: away: cannot connect", level="7"), "more attempts")
        await asyncio.to_thread(site.server.start)
        for name in ("xmpp", "provisioner"):
            await asyncio.to_thread(eventually, lambda name=name: len(self.lines(f"{name}: connected")) == 2, name, 20)
        owner, = await self.people("owner")
        await owner.expect_presence(jid)
        for name in ("xmpp", "provisioner"):
            self.assertEqual([len(self.lines(f"{name}: {word}")) for word in ("away", "connected")], [2, 2], self.log())
        self.assertEqual(site.jidgate.listen().count("READY=1"), 1)

    async def test_a_wrong_secret_is_said_once_in_words(self):
        site = self.new_site(start=False)
        site.component = lambda domain, right=site.component: {**right(domain), "secret": "wrong"}
        site.jidgate.launch()
        for name in ("xmpp", "provisioner"):
            await asyncio.to_thread(eventually, lambda name=name: self.lines(f"{name}: away"), f"a word of {name}")
        self.assertEqual(len(self.lines("<3>", "away: the server refuses the secret of this component")), 2, self.log())
        self.assertEqual(len(self.lines("away")), 2)
        self.assertNotIn("wrong", site.jidgate.child.output())
        self.assertEqual(await asyncio.to_thread(site.jidgate.stop), 0)

    async def test_asked_to_stop_it_says_goodbye_and_leaks_nothing(self):
        """The status of a sanitized build is 0 only if nothing is left."""
        for number in (signal.SIGTERM, signal.SIGINT):
            site = self.new_site()
            owner, anna = await self.people("owner", "anna")
            for jid, label in site.jidgate.labels().items():
                await owner.claim(SERVICE, label.key)
                await owner.befriend(jid)
            anna.subscribe(site.jid("boiler"))
            await owner.expect_nudge(SERVICE)
            await owner.ask("get", site.jid("boiler"), element(SENSORDATA, "req", None, seqnr="1", all="true"))
            site.jidgate.child.signal(number)
            for local in ("hall.temp", "hall.lamp", "boiler"):
                await owner.expect_presence(site.jid(local), "unavailable")
            self.assertEqual(await asyncio.to_thread(site.jidgate.child.wait_for_end), 0, site.jidgate.child.tail(60))
            self.assertEqual(site.jidgate.listen()[-1], "STOPPING=1")
            await owner.leave()
            await anna.leave()

    async def test_what_cannot_start_says_why_and_ends(self):
        site = self.new_site(start=False)
        site.jidgate.configure()
        good = site.jidgate.file.read_text()
        site.jidgate.file.write_text(good.replace("port = ", "prot = ", 1))
        status, out, err = site.jidgate.words("run")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("site.conf:2: unknown key 'xmpp.prot' - did you mean 'xmpp.port'?", err)
        site.jidgate.file.write_text(good)
        (site.jidgate.folder / "state" / "jidgate.db").write_text("not a database")
        status, _, err = site.jidgate.words("run")
        self.assertEqual(status, 1)
        self.assertIn("jidgate.db", err)
        self.assertEqual((site.jidgate.folder / "state" / "jidgate.db").read_text(), "not a database")


class Mute(threading.Thread):
    """A server that takes connections and never says a word."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connected = threading.Event()
        self.kept = []
        self.start()

    def run(self):
        try:
            while True:
                self.kept.append(self.socket.accept()[0])
                self.connected.set()
        except OSError:
            pass

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        for it in [self.socket, *self.kept]:
            it.close()


class Systemd(Program):
    async def test_ready_needs_the_handshake_and_a_word_of_every_bus(self):
        mute = Mute()
        self.addCleanup(mute.stop)
        site = self.new_site(start=False, provisioner=False)
        site.component = lambda domain, right=site.component: {**right(domain), "port": mute.port}
        child = site.jidgate.launch()
        await asyncio.to_thread(mute.connected.wait, 10)
        await asyncio.to_thread(child.wait_for_line, "bus 'sim': up")
        self.assertNotIn("READY=1", site.jidgate.listen())
        child.kill()
        del site.component
        site.buses = [*site.buses, {"id": "plc", "protocol": "modbus-tcp", "host": "127.0.0.1", "port": mute.port, "timeout": "2s"}]
        site.devices = [*site.devices, {"id": "x", "bus": "plc", "unit_id": 1, "addressing": "protocol", "points": [
            {"id": "y", "type": "int16", "table": "input", "address": 0}]}]
        child = site.jidgate.start().child
        output = child.output()
        ready = output.index("ready: ")
        self.assertLess(output.index("xmpp: connected"), ready)
        self.assertRegex(output[:ready], "bus 'plc': (up|away)")

    async def test_the_watchdog_is_fed_while_it_works_and_not_while_it_hangs(self):
        site = self.new_site(start=False)
        site.jidgate.environment = {"WATCHDOG_USEC": "200000"}
        child = site.jidgate.start().child

        def fed(n):
            begin = site.jidgate.listen().count("WATCHDOG=1")
            return eventually(lambda: site.jidgate.listen().count("WATCHDOG=1") >= begin + n, f"{n} meals", 5)
        await asyncio.to_thread(fed, 5)
        child.signal(signal.SIGSTOP)
        try:
            site.jidgate.listen()
            with self.assertRaises(Failed):
                await asyncio.to_thread(lambda: eventually(
                    lambda n=site.jidgate.told.count("WATCHDOG=1"): site.jidgate.listen().count("WATCHDOG=1") > n + 1, "a meal", 1))
        finally:
            child.signal(signal.SIGCONT)
        await asyncio.to_thread(fed, 2)


class Install(Program):
    def install(self, root):
        must_run(["cmake", "--install", BUILD], env={**os.environ, "DESTDIR": str(root)}, timeout=60)
        return sorted(str(it.relative_to(root)) for it in root.rglob("*") if it.is_file())

    def test_puts_everything_in_place_and_nobodys_configuration_away(self):
        root = self.new_folder()
        names = self.install(root)
        for wanted in ("bin/jidgate", "lib/systemd/system/jidgate.service", "lib/sysusers.d/jidgate.conf", "jidgate/site.conf",
                       "manual.md", "README.md"):
            self.assertEqual(len([it for it in names if it.endswith(wanted)]), 1, f"{wanted} is not in {names}")
        conf = next(root.rglob("site.conf"))
        status, _, err = run([next(root.rglob("bin/jidgate")), "check", "-c", conf])
        self.assertEqual(status, 1)  # its secrets and devices are the installer's to give
        self.assertNotIn("unknown key", err)
        conf.write_text("# mine\n")
        self.install(root)
        self.assertEqual(conf.read_text(), "# mine\n")

    def test_the_unit_verifies_and_is_closed_to_the_world(self):
        root = self.new_folder()
        self.install(root)
        unit = next(root.rglob("jidgate.service"))
        program = next(root.rglob("bin/jidgate"))
        text = unit.read_text()
        exec_start = re.search(r"^ExecStart=(\S+) run -c (\S+)$", text, re.M)
        self.assertEqual(root / exec_start[1].lstrip("/"), program)
        self.assertTrue((root / exec_start[2].lstrip("/")).exists())
        copy = self.new_folder() / "jidgate.service"
        copy.write_text(text.replace(exec_start[1], str(program)))
        status, out, err = run(["systemd-analyze", "verify", "--man=no", copy])
        self.assertEqual((status, [line for line in (out + err).splitlines() if "jidgate" in line]), (0, []))
        status, out, err = run(["systemd-analyze", "security", "--offline=true", "--threshold=20", copy])
        self.assertEqual(status, 0, out.splitlines()[-1:])
        exposure = float(re.search(r"Overall exposure level for jidgate.service: ([\d.]+)", out + err)[1])
        self.assertLessEqual(exposure, 2.0)

    def test_the_user_is_one_that_systemd_makes(self):
        root = self.new_folder()
        self.install(root)
        user = re.search(r"^User=(\S+)$", next(root.rglob("jidgate.service")).read_text(), re.M)[1]
        self.assertRegex(next(root.rglob("sysusers.d/jidgate.conf")).read_text(), rf"(?m)^u\s+{user}\s")


if __name__ == "__main__":
    unittest.main()
