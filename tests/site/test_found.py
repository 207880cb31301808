"""MQTT devices that nobody configured, with a real broker: `jidgate listen`, discovery, and topics with a level that names the thing."""
import asyncio
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.mosquitto import Mosquitto
from lib.site.process import run
from lib.site.sim_site import SERVICE, SimSite
from lib.site.waiting import eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
BRIDGE = [{"topic": "zigbee2mqtt/bridge/state", "value_template": "{{ value_json.state }}"}]


def message(device, part, kind="sensor", **more):
    """(topic, message) as zigbee2mqtt announces a part of a device."""
    return f"homeassistant/{kind}/{device}/{part}/config", json.dumps({
        "availability": BRIDGE, "device": {"identifiers": [f"zigbee2mqtt_{device}"], "name": device, "manufacturer": "Aqara"},
        "state_topic": f"zigbee2mqtt/{device}", "unique_id": f"{device}_{part}_zigbee2mqtt",
        "value_template": f"{{{{ value_json.{part} }}}}", **more})


def temperature(device, **more):
    return message(device, "temperature", name="Temperature", device_class="temperature", unit_of_measurement="°C", **more)


class Found(unittest.IsolatedAsyncioTestCase):
    def new_folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name)

    def new_broker(self):
        self.broker = Mosquitto(self.new_folder())
        self.addCleanup(self.broker.stop)
        return self.broker.start()

    def bus(self, **more):
        return {"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": self.broker.port, **more}

    def new_site(self, devices=(), start=True, **options):
        self.site = SimSite(self.new_folder(), BUILD, devices=devices, buses=[self.bus(**options)])
        self.addCleanup(self.site.stop)
        self.site.start_server()
        if start:
            self.site.jidgate.start()
        return self.site

    def tell(self, *messages):
        for topic, text in messages:
            self.broker.publish(topic, text, retain=True)

    async def labels(self, *locals_):
        """Keys of the things that there are, when it is these and no others."""
        wanted = {self.site.jid(it) for it in locals_}
        await asyncio.to_thread(eventually, lambda: set(self.site.jidgate.labels()) == wanted, f"{sorted(wanted)}, not {sorted(self.site.jidgate.labels())}")
        return self.site.jidgate.labels()

    async def befriend(self, person, jid):
        await person.claim(SERVICE, self.site.jidgate.labels()[jid].key)
        await person.befriend(jid)

    async def reads(self, person, jid, field, value):
        async def look():
            return (await person.read(jid)).values.get(field)
        for _ in range(100):
            found = await look()
            if found and found.value == value:
                return
            await asyncio.sleep(0.05)
        self.fail(f"{jid} never says {field} = {value}: {found}")


class Listen(Found):
    def configure(self, devices=""):
        self.conf = self.new_folder() / "site.conf"
        self.conf.write_text(f'buses = ( {{ id = "broker"; protocol = "mqtt"; host = "127.0.0.1"; port = {self.broker.port}; }} );\n{devices}')

    def listen(self, *words):
        return run([BUILD / "jidgate", "-c", self.conf, "listen", *words])

    def test_what_it_prints_is_a_configuration_that_check_takes(self):
        self.new_broker()
        self.configure()
        self.tell(temperature("0x17"), ("zigbee2mqtt/0x17", '{"temperature": 21.5}'), ("zigbee2mqtt/bridge/state", '{"state": "online"}'),
                  ("tele/plug/SENSOR", '{"ENERGY": {"Power": 12.5}}'), ("tele/plug/LWT", "Online"), ("attic/window \"x\"", "open"))
        status, out, err = self.listen("broker", "1")
        self.assertEqual((status, err), (0, ""))
        for row in ('id = "zigbee2mqtt_0x17"', 'path = "/temperature"', 'id = "tele-plug"', 'topic = "~/LWT"', 'id = "attic"', 'unit is a guess'):
            self.assertIn(row, out)
        self.assertNotIn("bridge\";", out, "it says whether devices are there, and is none")
        (self.conf.parent / "devices.d").mkdir()
        (self.conf.parent / "devices.d" / "broker.conf").write_text(out)
        status, out, err = run([BUILD / "jidgate", "-c", self.conf, "check"])
        self.assertEqual(status, 0, err)
        self.assertIn("1 bus, 3 devices, 3 points", out)
        status, out, err = self.listen("broker", "1")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("nothing that is not configured was heard", err)

    def test_only_the_topics_that_are_wanted(self):
        self.new_broker()
        self.configure()
        self.tell(("tele/plug/POWER", "ON"), ("stat/plug/POWER", "OFF"))
        status, out, err = self.listen("broker", "1", "--topics", "tele/#")
        self.assertEqual((status, err), (0, ""))
        self.assertIn('"tele/plug"', out)
        self.assertNotIn("stat", out)

    def test_what_cannot_be_listened_to_is_said(self):
        self.new_broker()
        self.configure()
        for words, status, sentence in (((), 2, "listen takes BUS"), (("broker", "x"), 2, "SECONDS"), (("broker", "--topics"), 2, "filter"),
                                        (("brokr",), 1, "there is no bus 'brokr'"), (("broker", "1", "--topics", "a/#/b"), 1, "bus 'broker': ")):
            found, out, err = self.listen(*words)
            self.assertEqual((found, out), (status, ""), err)
            self.assertIn(sentence, err)
        self.broker.stop()
        status, out, err = self.listen("broker")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("connection refused", err)

    async def test_the_daemon_reads_what_was_pasted(self):
        self.new_broker()
        self.configure()
        self.tell(("attic/temperature", "21.50"), ("zigbee2mqtt/lamp", '{"state": "ON"}'))
        status, out, err = self.listen("broker", "1")
        self.assertEqual(status, 0, err)
        site = self.new_site(start=False)
        site.jidgate.configure()
        (site.jidgate.folder / "devices.d").mkdir()
        (site.jidgate.folder / "devices.d" / "found.conf").write_text(out)
        await asyncio.to_thread(site.jidgate.start)
        await self.labels("attic.temperature", "zigbee2mqtt-lamp.state")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        for local in ("attic.temperature", "zigbee2mqtt-lamp.state"):
            await self.befriend(owner, site.jid(local))
        self.broker.publish("attic/temperature", "22.50")
        self.broker.publish("zigbee2mqtt/lamp", '{"state": "OFF"}')
        await self.reads(owner, site.jid("attic.temperature"), "temperature", "22.50")
        await self.reads(owner, site.jid("zigbee2mqtt-lamp.state"), "state", "false")


if __name__ == "__main__":
    unittest.main()
