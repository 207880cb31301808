"""The whole program and a real broker behind TLS: what others at the broker hear of the gateway, and writes that are answered."""
import asyncio
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.certificates import Authority
from lib.site.mosquitto import Mosquitto
from lib.site.process import Child
from lib.site.sim_site import SERVICE, SimSite
from lib.site.stanza import CONTROL, EXTENSION

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
VALVE = {"id": "valve", "bus": "broker", "topic": "valve", "things": "device", "name": "Valve", "points": [
    {"id": "flow", "name": "Flow", "type": "real", "path": "/flow", "min_interval": "0s"},
    {"id": "temp", "name": "Temperature", "type": "real", "path": "/temp", "min_interval": "0s"},
    {"id": "open", "name": "Open", "type": "int", "path": "/open", "access": "rw", "min": 0, "max": 100, "min_interval": "0s",
     "write": {"topic": "~/set", "payload": "{\"open\": ${value}}", "confirm": "response", "response_topic": "~/done",
               "response_path": "/status", "response_ok": "ok", "deadline": "20s"}}]}


class Broker(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        authority = Authority(self.folder / "authority")
        self.broker = Mosquitto(self.folder, sealed=(authority.certificate, *authority.sign(["localhost"], "broker")))
        self.addCleanup(self.broker.stop)
        self.broker.start()
        bus = {"id": "broker", "protocol": "mqtt", "host": "localhost", "port": self.broker.port,
               "tls": {"ca_file": authority.certificate}, "status": {"topic": "jidgate/status"}}
        self.site = SimSite(self.folder, BUILD, buses=[bus], devices=[VALVE])
        self.addCleanup(self.site.stop)
        self.site.start_server()

    def heard(self, count):
        """What is said of the gateway, in order."""
        self.status.wait_for(lambda: self.status.output().count("> ") >= count, f"{count} words", 20)
        return [line.split()[-1] for line in self.status.output().splitlines() if line.startswith("> ")]

    async def test_others_hear_that_the_gateway_is_there_stops_or_is_killed(self):
        self.status = self.broker.listen("jidgate/status")
        self.addCleanup(self.status.kill)
        await asyncio.to_thread(self.site.jidgate.start)
        self.assertEqual(self.heard(1), ["online"])
        self.site.jidgate.kill()
        self.assertEqual(self.heard(2), ["online", "offline"])
        await asyncio.to_thread(self.site.jidgate.start)
        self.assertEqual(self.heard(3)[2:], ["online"])
        self.assertEqual(self.site.jidgate.stop(), 0)
        self.assertEqual(self.heard(4)[2:], ["online", "offline"])

    def device(self, payload):
        """Answers one write as it is asked to, by mosquitto's own tools."""
        to = " ".join(str(it) for it in self.broker.client("mosquitto_sub"))
        answer = " ".join(str(it) for it in self.broker.client("mosquitto_pub"))
        script = (f"stdbuf -oL {to} -V 5 -q 1 -d -C 1 -F '> %R %D %p' -t valve/set | while read mark to data said; do "
                  f"case $mark in Subscribed) echo listens;; '>') echo \"got $said\"; "
                  f"exec {answer} -V 5 -q 1 -t $to -D publish correlation-data $data -m '{payload}';; esac; done")
        child = Child(["sh", "-c", script], self.folder / "device.log")
        self.addCleanup(child.kill)
        child.wait_for_line("listens")
        return child

    async def test_a_friend_is_told_whether_the_device_did_it_and_sees_a_message_whole(self):
        await asyncio.to_thread(self.site.jidgate.start)
        valve = self.site.jid("valve")
        owner = await self.enterAsyncContext(self.site.peer(Actor, "owner"))
        await owner.claim(SERVICE, self.site.jidgate.labels()[valve].key)
        await owner.befriend(valve)
        for i in (1, 2, 3):
            self.broker.publish("valve", f'{{"flow": {i}, "temp": {i}, "open": {i}}}')
            seen = await owner.expect_presence(valve, where=lambda it, i=i: f"Flow {i}" in (it.text_of("status") or ""), timeout=20)
            self.assertIn(f"Flow {i}, Temperature {i}, Open {i}", seen.text_of("status"))
        device = await asyncio.to_thread(self.device, '{"status": "ok"}')
        done = await owner.set(valve, ("int", "open", 50))
        self.assertEqual(done.child("setResponse", CONTROL).get(f"{{{EXTENSION}}}outcome"), "answered")
        device.wait_for_line('got {"open": 50}')
        await asyncio.to_thread(self.device, '{"status": "stuck"}')
        refused = await owner.refused_set(valve, ("int", "open", 60))
        self.assertIn("the device answered 'stuck'", refused.error_text)
        self.assertEqual((await owner.read(valve))["open"], "3", "commanded is not seen")
