"""Who takes part in a measurement: the load generator, and the components that it reads from."""
import json
import os
import sys
from pathlib import Path

from lib.site.jidgate import Jidgate
from lib.site.process import Child

HERE = Path(__file__).resolve().parent
DOMAIN, OWN, SECRET = "things.localhost", "load.localhost", "s3cret"
PINNED = (os.cpu_count() or 1) > 1


def on_cpu(number, command):
    """Without a server between them the two sides get a processor each, so that they do not move around."""
    return ["taskset", "-c", str(number), *command] if PINNED else list(command)


def sim_settings(port, n, service=OWN):
    """n things of one constant point on a bus that does not exist: t0.v, t1.v, ..."""
    point = {"id": "v", "name": "Value", "type": "real", "unit": "°C", "decimals": 1, "wave": "constant", "mean": 21.5,
             "poll": "10s", "stale": "1h"}
    return {
        "gateway": {"log": "info"},
        "xmpp": {"mode": "component", "domain": DOMAIN, "host": "127.0.0.1", "port": port, "secret": SECRET},
        "provisioning": {"service": service},
        "buses": [{"id": "sim", "protocol": "sim"}],
        "devices": [{"id": f"t{i}", "bus": "sim", "name": f"Thing {i}", "points": [point]} for i in range(n)],
    }


def mqtt_settings(port, broker):
    point = {"id": "v", "name": "Value", "type": "int", "stale": "1h", "min_interval": "0s"}
    settings = sim_settings(port, 0)
    settings["buses"] = [{"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": broker, "client_id": "jidgate"}]
    settings["devices"] = [{"id": "t0", "bus": "broker", "name": "Thing", "topic": "bench/t0", "points": [point]}]
    return settings


class Gateway(Jidgate):
    """jidgate; `how` puts words before its command."""

    def __init__(self, folder, program, settings, how=list, timeout=30.0):
        super().__init__(folder, program, settings)
        self.how, self.timeout = how, timeout

    def command(self):
        return self.how(super().command())

    @property
    def pid(self):
        return self.child.pid


class Component:
    """A program that says "ready" once it is connected."""

    def __init__(self, folder, command):
        self.child = Child(command, Path(folder) / "component.log")
        self.child.wait_for_line("ready")

    @property
    def pid(self):
        return self.child.pid

    def stop(self):
        self.child.kill()


class Generator:
    """bench_load or bench_latency: JSON lines."""

    def __init__(self, folder, command):
        self.child = Child(command, Path(folder) / "generator.log")

    def port(self):
        line = self.child.wait_for_line("port ") and self.child.output()
        return int(line.split("port ")[1].split()[0])

    def results(self, timeout):
        status = self.child.wait_for_end(timeout)
        if status:
            raise SystemExit(f"{self.child.command}: {self.child.tail()}")
        return [json.loads(line) for line in self.child.output().splitlines() if line.startswith("{")]

    def stop(self):
        self.child.kill()


def component_makers(build):
    """name -> (function of folder, port and pinning that starts it, words for the generator)."""
    def jidgate(folder, port, how):
        return Gateway(folder, build / "jidgate", lambda: sim_settings(port, 64), how).start()

    def echo(*words):
        return lambda folder, port, how: Component(
            folder, how([build / "tests/bench/bench_echo", port, DOMAIN, SECRET, *words]))

    def slix(folder, port, how):
        return Component(folder, how([sys.executable, HERE / "slix.py", port, DOMAIN, SECRET]))

    return {
        "raw echo": (echo(), []),
        "jidgate": (jidgate, ["--befriend"]),
        "slixmpp": (slix, []),
        "raw echo, one iq": (echo("--single"), ["--single"]),
    }
