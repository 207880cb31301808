"""What the command line shows and does of a gateway that runs: through its control socket, with the real program and a real server."""
import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.mosquitto import Mosquitto
from lib.site.process import die_with_parent
from lib.site.sim_site import HALL, SERVICE, SimSite
from lib.site.waiting import eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
SLOW = {"id": "slow", "bus": "sim", "name": "Slow", "points": [
    {"id": "level", "type": "int", "wave": "held", "access": "rw", "min": 0, "max": 10, "poll": "1h", "thing": False,
     "write": {"min_interval": "1h", "confirm": "readback"}}]}

DYING = {"id": "dying", "bus": "sim", "name": "Dying", "points": [
    {"id": "temp", "type": "real", "wave": "constant", "mean": 21.5, "unit": "°C", "poll": "200ms",
     "faults": [{"kind": "refused", "after": "1s"}]}]}


class Running(unittest.IsolatedAsyncioTestCase):
    def new_site(self, **more):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = SimSite(Path(folder.name), BUILD, **more)
        self.addCleanup(self.site.stop)
        self.site.start_server()
        self.site.jidgate.start()
        return self.site

    def words(self, *words):
        return self.site.jidgate.words(*words)

    def json(self, *words):
        """Objects, one a line, of a word that must succeed."""
        status, out, err = self.words(*words, "--json")
        self.assertEqual((status, err), (0, ""), words)
        return [json.loads(line) for line in out.splitlines()]

    def status(self):
        status, out, err = self.words("status", "--json")
        self.assertEqual((status, err), (0, ""))
        return json.loads(out)


class Shows(Running):
    def test_status_and_things_are_for_people_and_for_programs(self):
        site = self.new_site()
        eventually(lambda: self.status()["things"]["registered"] == 3, "all things to be registered")
        told = self.status()
        self.assertEqual((told["name"], told["ready"], told["xmpp"]["state"], told["provisioner"]["state"]),
                         ("Boiler house", True, "up", "up"))
        self.assertEqual((told["things"]["all"], told["registrations"], told["service"], told["service_answers"]),
                         (3, 3, SERVICE, True))
        bus, = told["buses"]
        self.assertEqual((bus["bus"], bus["state"], bus["why"], bus["points"]), ("sim", "up", None, 7))
        self.assertGreater(bus["reads"], 0)
        status, out, err = self.words("status")
        self.assertEqual((status, err), (0, ""))
        for line in ("Boiler house is ready, up ", "xmpp         up ", f"3 registered with {SERVICE}", "bus sim      up "):
            self.assertIn(line, out)
        things = {it["point"]: it for it in self.json("things")}
        self.assertEqual(len(things), 7)
        lamp, temp = things["hall.lamp"], things["hall.temp"]
        self.assertEqual((temp["thing"], temp["value"], temp["unit"], temp["quality"], temp["owner"], temp["friends"]),
                         (site.jid("hall.temp"), "21.5", "°C", "good", None, 0))
        self.assertLess(temp["age_ms"], 60000)
        self.assertEqual((lamp["writable"], temp["writable"]), (True, False))
        self.assertIn(f"{site.jid('hall.temp')}  Temperature: 21.5 °C, good, ", self.words("things", "hall")[1])
        self.assertEqual(self.words("friends", "nothing")[0], 1)
        for wrong in (("status", "more"), ("things", "hall", "more"), ("friends", "hall", "more")):
            self.assertEqual(self.words(*wrong)[0], 2, wrong)

    def test_what_is_not_good_is_shown_with_the_last_value_behind_it(self):
        self.new_site(devices=[DYING])
        last = "(last 21.5 °C), "
        eventually(lambda: last in self.words("things", "dying")[1], "the last value")
        self.assertIn(f"temp: bad, the device refuses {last}", self.words("things", "dying")[1])
        self.assertIn(f"dying.temp: bad, the device refuses {last}", self.words("read", "dying.temp")[1])
        self.assertEqual(self.words("things", "dyin")[::2], (1, "jidgate: there is no thing or device 'dyin'; see jidgate things\n"))

    async def test_friends_are_shown_with_who_waits(self):
        site = self.new_site()
        jid = site.jid("hall.lamp")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        anna = await self.enterAsyncContext(site.peer(Actor, "anna"))
        bob = await self.enterAsyncContext(site.peer(Actor, "bob"))
        await owner.claim(SERVICE, site.jidgate.labels()[jid].key)
        await owner.decide(SERVICE, friends=[anna.bare_jid], thing=jid)
        await anna.befriend(jid)
        bob.subscribe(jid)
        wanted = {(owner.bare_jid, "owner"), (anna.bare_jid, "friend"), (bob.bare_jid, "waiting")}

        def look():
            return {(it["jid"], it["state"]) for it in self.json("friends", "hall.lamp")} >= wanted
        await asyncio.to_thread(eventually, look, "all three")
        self.assertIn(f"{jid}  friend   {anna.bare_jid}\n", self.words("friends", jid)[1])
        lamp = next(it for it in self.json("things") if it["point"] == "hall.lamp")
        self.assertEqual(lamp["owner"], owner.bare_jid)

    def test_the_log_is_shown_and_followed(self):
        self.new_site()
        lines = self.json("log", "500")
        self.assertIn("ready: ", lines[-1]["text"] + "".join(it["text"] for it in lines))
        self.assertEqual({"time", "level", "text"}, set(lines[0]))
        self.assertEqual(len(self.json("log", "2")), 2)
        child = self.follow("log", "1", "follow")
        self.line(child, "")
        self.words("write", "hall.lamp", "true")
        self.assertIn("point 'hall.lamp': written from the command line: accepted", self.line(child, "hall.lamp"))
        self.interrupt(child)

    def test_a_broken_configuration_does_not_hide_what_runs(self):
        site = self.new_site()
        good = site.jidgate.file.read_text()
        site.jidgate.file.write_text(good.replace("devices = (", "devices = ( { id = 7; }, ") + "xmp = {};\n")
        self.assertNotEqual(self.words("check")[0], 0)
        self.assertEqual(self.words("status")[0], 0)
        site.jidgate.file.write_text(good.rstrip("\n;}") + "( ")  # it cannot even be parsed
        self.assertEqual(self.words("status")[0], 0)
        site.jidgate.file.write_text(good)

    def test_without_a_daemon_it_is_said_so(self):
        site = self.new_site()
        self.assertEqual(site.jidgate.stop(), 0)
        for word in ("status", "things", "friends", "log", "reload"):
            status, out, err = self.words(word)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("jidgate: no daemon listens on ", err)
        status, out, _ = self.words("read", "hall.temp")
        self.assertEqual((status, out[:17]), (0, "hall.temp: 21.5 °"), "then the bus itself is asked")

    def follow(self, *words):
        child = subprocess.Popen([BUILD / "jidgate", *words, "-c", self.site.jidgate.file], stdout=subprocess.PIPE, bufsize=0,
                                 stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def line(self, child, fragment):
        while True:
            self.assertTrue(select.select([child.stdout], [], [], 10)[0], f"no '{fragment}' in ten seconds")
            line = child.stdout.readline().decode()
            self.assertTrue(line, "it has ended")
            if fragment in line:
                return line

    def interrupt(self, child):
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(10), 0)

    def test_watch_tells_what_the_daemon_hears_until_it_is_interrupted(self):
        self.new_site()
        child = self.follow("watch", "hall.lamp", "boiler.pump")
        self.line(child, "boiler.pump: false, good")
        self.words("write", "hall.lamp", "true")
        self.line(child, "hall.lamp: true, good")
        self.interrupt(child)

    def test_who_reads_no_further_ends_it(self):
        self.new_site()
        child = self.follow("watch", "hall.lamp")
        self.line(child, "hall.lamp")
        child.stdout.close()
        self.words("write", "hall.lamp", "true")
        self.words("read", "hall.lamp")  # which makes it news
        self.assertEqual(child.wait(10), 1)

    def test_watch_ends_with_the_daemon(self):
        site = self.new_site()
        child = self.follow("watch", "hall.lamp")
        self.line(child, "hall.lamp")
        site.jidgate.stop()
        self.assertEqual(child.wait(10), 1)


class Does(Running):
    def test_write_keeps_what_a_friends_wish_keeps(self):
        self.new_site(devices=(HALL, SLOW))
        self.assertEqual(self.words("write", "slow.level", "7"), (0, "slow.level: written, and seen at the device\n", ""))
        status, _, err = self.words("write", "slow.level", "8")
        self.assertEqual(status, 1)
        self.assertIn("wait 3600000 ms between writes", err)
        self.assertEqual(self.words("read", "slow.level")[1][:19], "slow.level: 7, good")
        for wrong in (("slow.level", "11"), ("slow.level", "x"), ("hall.temp", "1"), ("hall", "1"), ("hall.none", "1")):
            status, out, err = self.words("write", *wrong)
            self.assertEqual((status, out), (1, ""), wrong)
            self.assertIn("jidgate: ", err)
        self.assertEqual(self.words("write", "slow.level")[0], 2)
        self.assertEqual(self.json("write", "hall.lamp", "true"), [{"point": "hall.lamp", "outcome": "accepted"}])
        self.assertEqual(self.status()["writes"]["confirmed"], 1)

    def test_a_point_of_a_broker_is_read_through_the_daemon(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        broker = Mosquitto(Path(folder.name))
        broker.start()
        self.addCleanup(broker.stop)
        self.new_site(buses=({"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": broker.port},), devices=(
            {"id": "room", "bus": "broker", "topic": "room", "points": [{"id": "temp", "type": "real", "unit": "°C"}]},))
        status, out, err = self.words("read", "room.temp")
        self.assertEqual((status, out), (1, "room.temp: unknown\n"), err)
        broker.publish("room", "19.5")
        eventually(lambda: self.words("read", "room.temp")[0] == 0, "the value")
        self.assertEqual(self.words("read", "room.temp")[1][:26], "room.temp: 19.5 °C, good, ")

    async def test_reset_puts_everybody_out_at_once(self):
        site = self.new_site()
        jid = site.jid("hall.lamp")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        key = site.jidgate.labels()[jid].key
        await owner.claim(SERVICE, key)
        await owner.befriend(jid)
        owner.inbox.forget()
        told, = await asyncio.to_thread(self.json, "reset", jid)
        self.assertNotEqual(told["key"], key)
        await owner.expect_presence(jid, "unsubscribed")
        await owner.refused_read(jid)
        self.assertEqual(site.jidgate.labels()[jid].key, told["key"])
        status, _, err = self.words("forget", "hall.lamp")
        self.assertEqual(status, 1)
        self.assertIn("still in the configuration", err)
        self.assertEqual(self.words("reset", "nothing")[0], 1)


class Socket(Running):
    def test_a_second_daemon_does_not_start_and_disturbs_nothing(self):
        site = self.new_site()
        status, _, err = self.words("run")
        self.assertEqual(status, 1)
        self.assertIn("another jidgate answers there", err)
        self.assertEqual(self.status()["ready"], True)

    def test_what_a_kill_left_behind_is_replaced_and_a_stop_leaves_nothing(self):
        site = self.new_site()
        at = site.jidgate.folder / "control.sock"
        self.assertEqual(at.stat().st_mode & 0o777, 0o660)
        site.jidgate.kill()
        self.assertTrue(at.exists())
        self.assertIn("no daemon listens", self.words("status")[2])
        site.jidgate.start()
        self.assertEqual(self.status()["ready"], True)
        self.assertEqual(site.jidgate.stop(), 0)
        self.assertFalse(at.exists())

    def test_a_folder_that_is_not_there_is_a_warning(self):
        site = self.new_site()
        self.assertEqual(site.jidgate.stop(), 0)
        right = site.settings
        site.jidgate.settings = lambda: {**right(), "gateway": {"control": "/nowhere/control.sock"}}
        child = site.jidgate.start().child
        self.assertIn("cannot ask this daemon", child.output())


if __name__ == "__main__":
    unittest.main()
