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
    return message(device, "temperature", **{"name": "Temperature", "device_class": "temperature", "unit_of_measurement": "°C", **more})


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

    async def told(self, *fragments):
        """A line of the daemon's log with all of these in it."""
        def find():
            return next((it for it in self.site.jidgate.child.output().splitlines() if all(f in it for f in fragments)), None)
        return await asyncio.to_thread(eventually, find, " ".join(fragments))


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

    def test_what_a_pattern_makes_is_said_and_also_what_it_leaves_out(self):
        self.new_broker()
        self.configure('devices = ( { id = "plug-${level}"; bus = "broker"; topic = "tele/+"; points = ( { id = "p"; type = "real"; } ); } );')
        self.tell(("tele/Hall Lamp", "1"), ("tele/attic", "1"), ("tele/ATTIC", "1"))
        status, out, _ = self.listen("broker", "1")
        self.assertEqual(status, 1, "nothing is left to be configured")
        self.assertIn("# plug-${level}: 'Hall Lamp' is plug-hall\\20lamp\n", out)
        self.assertIn("would be plug-attic, too: the second is left out\n", out)

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


SWITCH = message("0x18", "state", kind="switch", name=None, command_topic="zigbee2mqtt/0x18/set", payload_on="ON", payload_off="OFF")


class Discovery(Found):
    def begin(self, *messages, **options):
        self.new_broker()
        self.tell(*messages)
        return self.new_site(discovery="homeassistant", **options)

    async def test_what_tells_of_itself_is_a_thing_that_a_friend_reads_and_writes(self):
        site = self.begin(temperature("0x17"), SWITCH)
        await self.labels("zigbee2mqtt_0x17.temperature", "zigbee2mqtt_0x18.state")
        owner, anna = [await self.enterAsyncContext(site.peer(Actor, it)) for it in ("owner", "anna")]
        warm, lamp = site.jid("zigbee2mqtt_0x17.temperature"), site.jid("zigbee2mqtt_0x18.state")
        for jid in (warm, lamp):
            await self.befriend(owner, jid)
            await owner.decide(SERVICE, friends=[anna.bare_jid], thing=jid)
            await anna.befriend(jid)
        self.broker.publish("zigbee2mqtt/0x17", '{"temperature": 21.5}')
        await self.reads(anna, warm, "temperature", "21.5")
        ear = self.broker.listen("zigbee2mqtt/0x18/set")
        self.addCleanup(ear.stop)
        wish = asyncio.create_task(owner.set(lamp, ("boolean", "state", "true")))
        await asyncio.to_thread(ear.wait_for_line, "> zigbee2mqtt/0x18/set ON")
        self.broker.publish("zigbee2mqtt/0x18", '{"state": "ON"}')
        await wish
        await self.reads(owner, lamp, "state", "true")
        self.broker.publish("zigbee2mqtt/bridge/state", '{"state": "offline"}')
        await anna.expect_presence(warm, where=lambda it: "last 21.5" in str(it))

    async def test_what_was_found_stays_when_the_broker_has_forgotten_it(self):
        site = self.begin(temperature("0x17"), message("0x17", "humidity", unit_of_measurement="%"))
        await self.labels("zigbee2mqtt_0x17.temperature", "zigbee2mqtt_0x17.humidity")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        warm = site.jid("zigbee2mqtt_0x17.temperature")
        await self.befriend(owner, warm)
        self.assertEqual(await asyncio.to_thread(site.jidgate.stop), 0)
        for part in ("temperature", "humidity"):
            self.broker.publish(f"homeassistant/sensor/0x17/{part}/config", "", retain=True)
        await asyncio.to_thread(site.jidgate.start)
        await owner.expect_presence(warm)
        self.broker.publish("zigbee2mqtt/0x17", '{"temperature": 22.5}')
        await self.reads(owner, warm, "temperature", "22.5")
        self.tell(temperature("0x17", unit_of_measurement="K"))
        await self.told("device 'zigbee2mqtt_0x17': changed")
        self.broker.publish("zigbee2mqtt/0x17", '{"temperature": 295.5}')
        await self.reads(owner, warm, "temperature", "295.5")
        await self.labels("zigbee2mqtt_0x17.temperature", "zigbee2mqtt_0x17.humidity")
        self.broker.publish("homeassistant/sensor/0x17/temperature/config", "", retain=True)
        await owner.expect_presence(warm, "unavailable")
        await self.labels("zigbee2mqtt_0x17.humidity")

    async def test_only_what_is_wanted(self):
        self.begin(temperature("0x17"), temperature("0x18"), temperature("0x19"),
                   message("0x17", "linkquality", entity_category="diagnostic"), message("0x17", "odd", value_template="{% if x %}1{% endif %}"),
                   discovery_filter=["zigbee2mqtt_0x1?", "!*0x18*"], discovery_limit=1)
        await self.told("there are as many devices as discovery_limit allows")
        labels = await asyncio.to_thread(eventually, lambda: self.site.jidgate.labels(), "a thing")
        self.assertEqual(len(labels), 1)
        self.assertNotIn(self.site.jid("zigbee2mqtt_0x18.temperature"), labels)

    async def test_a_device_of_the_configuration_counts_more(self):
        self.new_broker()
        self.tell(temperature("0x17"), temperature("0x18"))
        own = {"id": "zigbee2mqtt_0x17", "bus": "broker", "topic": "zigbee2mqtt/0x17",
               "points": [{"id": "mine", "type": "real", "path": "/temperature"}]}
        self.new_site(devices=[own], discovery="homeassistant")
        await self.labels("zigbee2mqtt_0x17.mine", "zigbee2mqtt_0x18.temperature")

    async def test_hostile_messages_leave_the_daemon_as_it_is(self):
        hostile = [(f"homeassistant/sensor/x{i}/config", it) for i, it in enumerate((
            "[" * 60000, '{"state_topic": "#"}', '{"state_topic": "a", "unique_id": "\\"; } ); @include \\"/etc/passwd\\"", "name": "\\n"}',
            '{"state_topic": "a", "device": {"identifiers": ["' + "x" * 500 + '"]}, "unique_id": "' + "y" * 500 + '"}'))]
        self.begin(*hostile, temperature("0x17"))
        await self.told("device 'zigbee2mqtt_0x17'")
        self.assertIn(self.site.jid("zigbee2mqtt_0x17.temperature"), self.site.jidgate.labels())


class Levels(Found):
    PLUG = {"id": "plug-${level}", "bus": "broker", "name": "Plug ${level}", "topic": "tele/+",
            "points": [{"id": "power", "name": "Power", "type": "real", "unit": "W", "topic": "~/SENSOR", "path": "/P"}]}

    async def test_each_level_becomes_a_thing_and_stays_one(self):
        self.new_broker()
        site = self.new_site(devices=[self.PLUG])
        self.tell(("tele/Kitchen Lamp/SENSOR", '{"P": 5}'), ("tele/hall/SENSOR", '{"P": 6}'))
        local = "plug-kitchen\\20lamp.power"
        labels = await self.labels(local, "plug-hall.power")
        self.assertEqual(labels[site.jid(local)].name, "Plug Kitchen Lamp Power")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        await self.befriend(owner, site.jid(local))
        self.broker.publish("tele/Kitchen Lamp/SENSOR", '{"P": 7.5}')
        await self.reads(owner, site.jid(local), "power", "7.5")
        self.broker.publish("tele/kitchen lamp/SENSOR", '{"P": 9}')
        await self.told("'plug-${level}/kitchen lamp' is left out", "'plug-${level}/Kitchen Lamp', which was first")
        self.assertEqual(await asyncio.to_thread(site.jidgate.stop), 0)
        for level in ("Kitchen Lamp", "hall"):
            self.broker.publish(f"tele/{level}/SENSOR", "", retain=True)
        await asyncio.to_thread(site.jidgate.start)
        await owner.expect_presence(site.jid(local))
        self.broker.publish("tele/Kitchen Lamp/SENSOR", '{"P": 8.5}')
        await self.reads(owner, site.jid(local), "power", "8.5")
        await self.labels(local, "plug-hall.power")

    async def test_a_changed_pattern_changes_what_it_made_and_a_gone_one_takes_it_away(self):
        self.new_broker()
        site = self.new_site(devices=[self.PLUG])
        self.tell(("tele/hall/SENSOR", '{"P": 6, "Q": 7}'))
        await self.labels("plug-hall.power")
        owner = await self.enterAsyncContext(site.peer(Actor, "owner"))
        jid = site.jid("plug-hall.power")
        await self.befriend(owner, jid)
        point = {**self.PLUG["points"][0], "path": "/Q"}
        site.devices = [{**self.PLUG, "name": "Socket ${level}", "points": [point]}]
        await asyncio.to_thread(site.jidgate.reload)
        self.broker.publish("tele/hall/SENSOR", '{"P": 8, "Q": 9}')
        await self.reads(owner, jid, "power", "9")
        self.assertEqual((await self.labels("plug-hall.power"))[jid].name, "Socket hall Power")
        site.devices = []
        await asyncio.to_thread(site.jidgate.reload)
        await owner.expect_presence(jid, "unavailable")
        site.devices = [self.PLUG]
        await asyncio.to_thread(site.jidgate.reload)
        await owner.expect_presence(jid)
        self.broker.publish("tele/hall/SENSOR", '{"P": 10}')
        await self.reads(owner, jid, "power", "10")


if __name__ == "__main__":
    unittest.main()
