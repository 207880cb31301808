"""A gateway whose devices are made up: the XMPP server is real, the field is not. Cheap to start, and nothing moves by itself."""
import secrets
from pathlib import Path

from .jidgate import Jidgate
from .prosody import Prosody
from .waiting import Failed
from .xmpp_server import DOMAIN

SERVICE, THINGS = f"provisioning.{DOMAIN}", f"things.{DOMAIN}"
PEOPLE = ("owner", "anna", "bob", "stranger")


def point(local, type_, **more):
    return {"id": local, "type": type_, "poll": "200ms", **more}


def switch(local, **more):
    return point(local, "bool", wave="held", access="rw", **more)


HALL = {"id": "hall", "bus": "sim", "name": "Hall", "points": [
    point("temp", "real", name="Temperature", wave="constant", mean=21.5, decimals=1, unit="°C"),
    switch("lamp", name="Lamp")]}
BOILER = {"id": "boiler", "bus": "sim", "name": {"en": "Boiler", "de": "Kessel"}, "things": "device", "points": [
    point("temp", "real", name="Temperature", wave="constant", mean=48.7, decimals=1, unit="°C"),
    point("level", "int", name="Set level", wave="held", access="rw", min=0, max=10),
    point("mode", "int", name="Mode", wave="held", access="rw", words=[{"raw": 0, "text": "off"}, {"raw": 1, "text": "eco"}]),
    switch("pump", name="Pump"),
    switch("alarm", name="Alarm", kind="status")]}


class SimSite:
    """provisioner: this process is the service too; otherwise a test plays it."""

    def __init__(self, folder: Path, build: Path, server_class=Prosody, provisioner=True, devices=(HALL, BOILER),
                 buses=({"id": "sim", "protocol": "sim"},)):
        folder = Path(folder)
        self.provisioner, self.devices, self.buses = provisioner, list(devices), list(buses)
        self.secrets = {domain: secrets.token_hex(16) for domain in (SERVICE, THINGS)}
        self.passwords = {name: secrets.token_urlsafe(9) for name in PEOPLE}
        self.server = server_class(folder, self.secrets)
        self.jidgate = Jidgate(folder, build / "jidgate", self.settings)

    def start_server(self):
        self.server.start()
        self.server.add_accounts(self.passwords)
        return self

    def stop(self):
        """A gateway that does not end cleanly (a leak, an abort) is a failure of whatever test it was."""
        status = self.jidgate.stop()
        self.server.stop()
        if status not in (0, None, -9):
            raise Failed(f"jidgate ended with {status}:\n{self.jidgate.child.tail(60)}")

    def component(self, domain):
        return {"domain": domain, "host": "127.0.0.1", "port": self.server.ports["component"], "secret": self.secrets[domain]}

    def settings(self):
        found = {"xmpp": self.component(THINGS), "provisioning": {"service": SERVICE}, "buses": self.buses,
                 "devices": self.devices}
        return found | ({"provisioner": self.component(SERVICE)} if self.provisioner else {})

    def jid(self, local):
        return f"{local}@{THINGS}"

    def peer(self, cls, name, **more):
        """One of the people."""
        return cls.client(f"{name}@{DOMAIN}", self.passwords[name], self.server.ports["c2s"], **more)

    def service(self, cls, **more):
        """A program in the place of the provisioning service."""
        return cls.component(SERVICE, self.secrets[SERVICE], self.server.ports["component"], **more)
