"""A gateway that runs for years: what it holds does not grow with what it has seen, and it does not fall behind."""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.mosquitto import Mosquitto
from lib.site.process import die_with_parent
from lib.site.sim_site import HALL, SimSite

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
RELEASE = BUILD.parent / "release"  # sanitizers keep what was freed for a while, on purpose
AT_FIRST, MANY, GROWTH_KIB = 100_000, 1_000_000, 512
DEVICE = {"id": "meter", "bus": "broker", "topic": "meter",
          "availability": {"topic": "meter/alive", "online": "online", "offline": "offline"},
          "points": [{"id": "p", "path": "/p", "type": "real", "unit": "W", "min_interval": "1s"},
                     {"id": "t", "path": "/t", "type": "text", "min_interval": "1s"}]}


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Soak(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.broker = Mosquitto(Path(folder.name))
        self.addCleanup(self.broker.stop)
        self.broker.start()
        self.site = SimSite(Path(folder.name), RELEASE, devices=[HALL, DEVICE], buses=[
            {"id": "sim", "protocol": "sim"},
            {"id": "broker", "protocol": "mqtt", "host": "127.0.0.1", "port": self.broker.port}])
        self.addCleanup(self.site.stop)
        self.site.start_server()
        self.site.jidgate.start()
        self.said = 0

    def publish(self, first, count):
        """One client, one message a line, each with another number and a longer or shorter text; then that it is away and back."""
        with subprocess.Popen([str(word) for word in (*self.broker.client("mosquitto_pub"), "-t", "meter", "-l")], text=True,
                              stdin=subprocess.PIPE, preexec_fn=die_with_parent) as tool:
            for begin in range(first, first + count, 1000):
                tool.stdin.write("".join(f'{{"p": {i / 10}, "t": "{"x" * (i % 100)}{i}"}}\n' for i in range(begin, begin + 1000)))
        self.assertEqual(tool.returncode, 0)
        for word in ("offline", "online"):
            self.broker.publish("meter/alive", word)
        self.said += 1
        self.site.jidgate.child.wait_for(
            lambda: self.site.jidgate.child.output().count("says that it is online") == self.said, "the end of the flood", 120)

    def test_a_million_messages_leave_nothing_behind(self):
        self.publish(0, AT_FIRST)
        before = resident_kib(self.site.jidgate.child.pid)
        self.publish(AT_FIRST, MANY)
        growth = resident_kib(self.site.jidgate.child.pid) - before
        self.assertLess(growth, GROWTH_KIB, f"{before} KiB before")
