"""The demo's site: what stands in it, how it is configured, how each point is seen by the independent tools."""
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from .devices import CoapDevice, ModbusDevice, ModbusLine, MqttLamp
from .jidgate import Jidgate
from .mosquitto import Mosquitto
from .prosody import Prosody
from .waiting import eventually
from .xmpp_server import DOMAIN

SERVICE = f"provisioning.{DOMAIN}"
THINGS = f"things.{DOMAIN}"
BEDROOM, LAMP = "zigbee2mqtt/bedroom", "zigbee2mqtt/lamp"
PEOPLE = ("owner", "anna", "stranger")


@dataclass(frozen=True)
class Spot:
    """One point, which is one thing: as it is named in XMPP, and as a tool sees it at the device."""
    local: str
    tool: str
    look: Callable  # of the site -> what friends should be shown, as text
    unit: str = ""
    setting: Optional[tuple] = None  # (type of XEP-0325, value) to write

    @property
    def field(self):
        """The name of the field is the point's id: a name for people may change."""
        return self.local.split(".")[1]


def tenths(text):
    return f"{int(text) / 10:.1f}"


def yes(flag):
    return str(bool(flag)).lower()


SPOTS = (
    Spot("boiler.temp", "mbpoll", lambda s: tenths(s.boiler.get("3", 0)), "°C"),
    Spot("boiler.setpoint", "mbpoll", lambda s: tenths(s.boiler.get("4", 10)), "°C", ("double", "61.5")),
    Spot("boiler.pump", "mbpoll", lambda s: yes(s.boiler.get("0", 0) == "1"), "", ("boolean", "true")),
    Spot("meter.power", "mbpoll", lambda s: f"{float(s.meter.get('3:float', 2)):.1f}", "W"),
    Spot("meter.limit", "mbpoll", lambda s: tenths(s.meter.get("4", 10)), "A", ("double", "32.5")),
    Spot("bedroom.temp", "mosquitto_pub", lambda s: f"{s.bedroom['temperature']:.1f}", "°C"),
    Spot("lamp.state", "mosquitto_sub", lambda s: yes(s.lamp_state() == "ON"), "", ("boolean", "true")),
    Spot("garden.temp", "coap-client", lambda s: s.garden.get("/sensors/temp"), "°C"),
    Spot("garden.humidity", "coap-client",
         lambda s: str(json.loads(s.garden.get("/sensors/json"))["humidity"]), "%"),
    Spot("garden.light", "coap-client", lambda s: yes(s.garden.get("/lamp") == "on"), "", ("boolean", "true")),
)


def point(local, name, kind, **more):
    return {"id": local, "name": name, "type": kind, **more}


def writable(confirm, **more):
    return {"access": "rw", "write": {"confirm": confirm, "deadline": "3s", **more}}


class BoilerHouse:
    """Everything that runs. mode: component, or accounts with an account for every thing."""

    def __init__(self, folder: Path, build: Path, server_class=Prosody, mode="component"):
        folder, build = Path(folder), Path(build)
        self.mode = mode
        self.secrets = {domain: secrets.token_hex(16) for domain in (SERVICE, THINGS)}
        self.passwords = {name: secrets.token_urlsafe(9) for name in PEOPLE}
        self.server = server_class(folder, self.secrets)
        self.broker = Mosquitto(folder)
        self.garden = CoapDevice(folder, build)
        self.boiler = ModbusDevice(folder, build)
        self.meter = ModbusLine(folder, build)
        self.lamp = MqttLamp(self.broker, LAMP)
        self.jidgate = Jidgate(folder, build / "jidgate", self.settings)
        self.bedroom = {"temperature": 19.5, "battery": 88}
        self._ear = None

    # life
    @property
    def parts(self):
        return self.server, self.broker, self.garden, self.boiler, self.meter, self.lamp

    def start_surroundings(self):
        """All but the gateway."""
        for part in self.parts:
            part.start()
        self._ear = self.broker.listen(LAMP)
        accounts = dict(self.passwords)
        if self.mode == "accounts":
            accounts |= {spot.local: self._thing_password(spot.local).read_text() for spot in SPOTS}
        self.server.add_accounts(accounts)
        return self

    def stop(self):
        for part in (self.jidgate, self._ear, *reversed(self.parts)):
            if part:
                part.stop()

    # names
    @property
    def domain(self):
        return THINGS if self.mode == "component" else DOMAIN

    def jid(self, local):
        return f"{local}@{self.domain}"

    def door(self, local):
        """Where a stranger's stanza reaches the thing itself; for an account's bare JID the server answers."""
        return self.jid(local) if self.mode == "component" else self.jid(local) + "/thing"

    def seen_by_strangers(self, answer):
        """What must be the same for a thing that does not exist. Of an account that does not exist the server speaks."""
        return answer.shape() if self.mode == "component" else answer.condition

    def person(self, name):
        return f"{name}@{DOMAIN}"

    # devices
    def speak_bedroom(self):
        """The sensor in the bedroom sends one of its messages."""
        self.broker.publish(BEDROOM, json.dumps(self.bedroom))

    def speak_lamp(self):
        """The lamp says what it is: its retained word is of unknown age, and the gateway shows it as such."""
        self.broker.publish(f"{LAMP}/get", "")

    def lamp_state(self):
        """What the lamp said last."""
        said = [line for line in self._ear.output().splitlines() if line.startswith(f"> {LAMP} ")]
        return json.loads(said[-1].split(" ", 2)[2])["state"] if said else None

    def await_value(self, spot, wanted):
        """What the tool sees, once it is what is wanted."""
        return eventually(lambda: spot.look(self) == wanted and wanted, f"{spot.tool} to see {wanted} at {spot.local}")

    # configuration
    def _secret(self, name, text):
        path = self.jidgate.folder / f"secret-{name}"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(text)
        return path

    def _thing_password(self, local):
        return self._secret(f"thing-{local}", secrets.token_urlsafe(12))

    def settings(self):
        component = {"host": "127.0.0.1", "port": self.server.ports["component"]}
        return {
            "xmpp": self._xmpp(component),
            "provisioning": {"service": SERVICE},
            "provisioner": {"domain": SERVICE, **component, "secret_file": self._secret("service", self.secrets[SERVICE])},
            "buses": self._buses(),
            "devices": [self._device(it) for it in self._devices()],
        }

    def _xmpp(self, component):
        if self.mode == "component":
            return {"mode": "component", "domain": THINGS, **component,
                    "secret_file": self._secret("things", self.secrets[THINGS])}
        return {"mode": "accounts", "domain": DOMAIN, "host": "127.0.0.1", "port": self.server.ports["c2s"],
                "tls": "required", "ca_file": self.server.ca_file}

    def _buses(self):
        return [
            {"id": "plc", "protocol": "modbus-tcp", "host": "127.0.0.1", "port": self.boiler.port, "timeout": "1s"},
            {"id": "rs485", "protocol": "modbus-rtu", "device": self.meter.tty, "baud": 9600, "mode": "8N1",
             "timeout": "800ms"},
            {"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": self.broker.port, "client_id": "jidgate"},
            {"id": "mesh", "protocol": "coap"},
        ]

    def _device(self, device):
        """In accounts mode each point has a password of its own."""
        if self.mode == "accounts":
            for it in device["points"]:
                it["password_file"] = self._thing_password(f"{device['id']}.{it['id']}")
        return device

    def _devices(self):
        modbus = {"unit_id": 1, "addressing": "protocol"}
        celsius = {"unit": "°C", "decimals": 1}
        tenth = {"scale": 0.1, "decimals": 1}
        return [
            {"id": "boiler", "bus": "plc", "name": "Boiler", **modbus, "points": [
                point("temp", "Temperature", "int16", table="input", address=0, poll="500ms", unit="°C", **tenth),
                point("setpoint", "Set point", "int16", table="holding", address=10, min=30.0, max=75.0, unit="°C",
                      **tenth, **writable("readback")),
                point("pump", "Pump", "bool", table="coil", address=0, **writable("readback"))]},
            {"id": "meter", "bus": "rs485", "name": "Main meter", **modbus, "points": [
                point("power", "Power", "float32", table="input", address=2, order="ABCD", unit="W", decimals=1),
                point("limit", "Limit", "int16", table="holding", address=10, min=6.0, max=63.0, unit="A", **tenth,
                      **writable("readback"))]},
            {"id": "bedroom", "bus": "broker", "name": "Bedroom", "topic": BEDROOM, "stale": "70m", "points": [
                point("temp", "Temperature", "real", path="/temperature", **celsius)]},
            {"id": "lamp", "bus": "broker", "name": "Hall lamp", "topic": LAMP, "points": [
                point("state", "State", "bool", path="/state", on="ON", off="OFF",
                      **writable("state", topic="~/set", payload='{"state": ${value}}'))]},
            {"id": "garden", "bus": "mesh", "name": "Garden", "uri": self.garden.uri, "points": [
                point("temp", "Temperature", "real", path="/sensors/temp", observe=True, **celsius),
                point("humidity", "Humidity", "int", path="/sensors/json", format="json", pointer="/humidity",
                      poll="1s", unit="%"),
                point("light", "Light", "bool", path="/lamp", observe=True, on="on", off="off", **writable("state"))]},
        ]
