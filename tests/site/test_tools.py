"""The installer's tools against a Modbus slave whose registers are known: no XMPP, no daemon, only what the tools print."""
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.process import die_with_parent, run
from lib.site.slave import Slave

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()

BUS = '{{ id = "line"; protocol = "modbus-tcp"; host = "127.0.0.1"; port = {port}; timeout = "300ms"; }}'
DEVICE = """{ id = "boiler"; bus = "line"; unit_id = 1; addressing = "protocol";
  points = (
    { id = "setpoint"; table = "holding"; address = 10; type = "int16"; scale = 0.1; unit = "°C"; access = "rw"; min = 30.0; max = 75.0;
      write = { confirm = "readback"; }; },
    { id = "loose"; table = "holding"; address = 11; type = "uint16"; access = "rw"; min = 0; max = 100; thing = false;
      write = { confirm = "none"; }; },
    { id = "seen"; table = "input"; address = 5; type = "uint16"; poll = "100ms"; },
    { id = "gone"; table = "holding"; address = 20; type = "uint16"; disable = true; }
  ); }"""


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.conf = Path(folder.name) / "site.conf"
        self.slave = Slave()
        self.addCleanup(self.slave.stop)
        self.configure(DEVICE)

    def configure(self, devices):
        self.conf.write_text(f"buses = ( {BUS.format(port=self.slave.where)} );\ndevices = ( {devices} );\n")

    def tool(self, *words):
        return run([BUILD / "jidgate", "-c", self.conf, *words])


class Values(Tools):
    def test_read_shows_value_unit_quality_and_age(self):
        self.slave.say("set holding 10 550")
        status, out, err = self.tool("read", "boiler.setpoint")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"^boiler\.setpoint: 55\.0 °C, good, 20\S+Z, \d+ ms old\n$")
        status, out, _ = self.tool("--json", "read", "boiler.setpoint")
        told = json.loads(out)
        self.assertEqual((told["point"], told["value"], told["unit"], told["quality"]), ("boiler.setpoint", "55.0", "°C", "good"))

    def test_read_asks_for_nothing_else(self):
        self.tool("read", "boiler.setpoint")
        self.assertEqual(self.slave.say("asked"), "1 ok")

    def test_a_value_out_of_range_is_not_shown(self):
        self.slave.say("set holding 11 101")
        status, out, err = self.tool("read", "boiler.loose")
        self.assertEqual((status, "101" in out.split(",")[0]), (1, False))
        self.assertIn("boiler.loose: bad, out of range", out)
        self.assertEqual(err.splitlines()[-1], "jidgate: boiler.loose: there is no good value: out of range")

    def test_a_device_that_refuses_or_is_silent_shows_no_value(self):
        self.slave.say("except 10 4")
        status, out, err = self.tool("read", "boiler.setpoint")
        self.assertEqual((status, out.split(",")[0]), (1, "boiler.setpoint: bad"))
        self.assertIn("jidgate: ", err)
        self.slave.say("except 10 0")
        self.slave.say("fault silent")
        status, out, _ = self.tool("--json", "read", "boiler.setpoint")
        self.assertEqual((status, json.loads(out)["value"], json.loads(out)["quality"]), (1, None, "bad"))

    def test_a_bus_that_is_not_there_is_said_so(self):
        self.slave.stop()
        status, out, err = self.tool("read", "boiler.setpoint")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("jidgate: bus 'line': ", err)
        self.slave = Slave()
        self.addCleanup(self.slave.stop)

    def test_write_goes_through_scale_range_and_readback(self):
        self.assertEqual(self.tool("write", "boiler.setpoint", "60.5"),
                         (0, "boiler.setpoint: written, and seen at the device\n", ""))
        self.assertEqual(self.slave.say("get holding 10"), "605 ok")
        self.assertIn("must be a number", self.tool("write", "boiler.setpoint", "60,5")[2])
        for refused in ("80", "-5", "12 apples", "60.55"):
            status, out, err = self.tool("write", "boiler.setpoint", refused)
            self.assertEqual((status, out), (1, ""), refused)
            self.assertIn("jidgate: boiler.setpoint: ", err)
        self.assertEqual((self.slave.say("get holding 10"), self.slave.say("wrote")), ("605 ok", "1 ok"))

    def test_a_write_that_nobody_saw_does_not_say_that_it_holds(self):
        status, out, _ = self.tool("write", "boiler.loose", "7")
        self.assertEqual((status, out), (0, "boiler.loose: accepted; nobody looked whether it holds\n"))
        status, out, err = self.tool("write", "boiler.seen", "7")
        self.assertEqual((status, self.slave.say("wrote")), (1, "1 ok"), err)

    def test_unknown_and_disabled_points_are_refused(self):
        for name, words in (("boiler.nothing", "no point"), ("boiler", "DEVICE.POINT"), ("boiler.gone", "disabled")):
            status, out, err = self.tool("read", name)
            self.assertEqual((status, out), (1, ""))
            self.assertIn(words, err)
        self.assertEqual(self.tool("read")[0], 2)
        self.assertEqual(self.tool("write", "boiler.setpoint")[0], 2)
        self.assertEqual(self.slave.say("asked"), "0 ok")

    def test_a_line_that_another_program_holds_is_left_alone(self):
        line = Slave("pty")
        self.addCleanup(line.stop)
        self.conf.write_text(f'buses = ( {{ id = "line"; protocol = "modbus-rtu"; device = "{line.where}"; }} );\ndevices = ( {DEVICE} );')
        holder = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "watch", "boiler.seen"], stdout=subprocess.PIPE,
                                  preexec_fn=die_with_parent)
        try:
            self.assertRegex(self.line(holder), "^boiler")
            status, out, err = self.tool("read", "boiler.setpoint")
            self.assertEqual((status, out), (1, ""))
            self.assertIn("jidgate: bus 'line': ", err)
        finally:
            holder.send_signal(signal.SIGTERM)
            holder.communicate()
        self.assertEqual(line.say("set holding 11 7"), "ok")
        status, out, err = self.tool("read", "boiler.loose")
        self.assertEqual(status, 0, out + err)

    def test_watch_tells_each_change_until_it_is_interrupted(self):
        self.slave.say("set input 5 7")
        child = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "watch", "boiler.seen"], stdout=subprocess.PIPE,
                                 preexec_fn=die_with_parent)
        try:
            self.assertRegex(self.line(child), r"^boiler\.seen: 7, good")
            self.slave.say("set input 5 8")
            self.assertRegex(self.line(child), r"^boiler\.seen: 8, good")
            self.slave.say("except 5 4")
            self.assertRegex(self.line(child), r"^boiler\.seen: bad")
        finally:
            child.send_signal(signal.SIGINT)
            rest, _ = child.communicate()
        self.assertEqual((child.returncode, rest), (0, b""))

    def test_a_program_never_reads_the_value_from_before_the_failure(self):
        self.slave.say("set input 5 7")
        child = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "--json", "watch", "boiler.seen"], stdout=subprocess.PIPE,
                                 preexec_fn=die_with_parent)
        try:
            self.assertEqual(json.loads(self.line(child))["value"], "7")
            self.slave.say("except 5 4")
            told = json.loads(self.line(child))
            self.assertEqual((told["value"], told["quality"]), (None, "bad"))
        finally:
            child.send_signal(signal.SIGINT)
            child.communicate()

    def line(self, child):
        self.assertTrue(select.select([child.stdout], [], [], 10)[0], "nothing in ten seconds")
        return child.stdout.readline().decode()


class Peek(Tools):
    def setUp(self):
        super().setUp()
        for address, value in ((0, 0x4366), (1, 0x199A), (2, 0x5000), (3, 0x449A), (4, 0xFFEC), (5, 550)):  # 230.1, 1234.5, -20
            self.slave.say(f"set input {address} {value}")
        self.slave.say("except 6 2")

    def test_needs_nothing_but_a_bus(self):
        self.conf.write_text(f"buses = ( {BUS.format(port=self.slave.where)} );\n")
        status, out, err = self.tool("peek", "line", "3", "input", "5", "1")
        self.assertEqual((status, "uint16    AB 550 *" in out), (0, True), err)

    def test_what_it_prints_is_configuration_that_reads_the_same(self):
        status, out, err = self.tool("peek", "line", "3", "input", "0", "7")
        self.assertEqual(status, 0, err)
        self.configure(out.split("before you trust it\n")[1])
        found = re.findall(r'id = "(input-\d+)"', out)
        self.assertEqual(found, ["input-0", "input-2", "input-4", "input-5"])
        values = [json.loads(self.tool("--json", "read", f"unit-3.{point}")[1])["value"] for point in found]
        self.assertEqual([float(value) for value in values], [230.1, 1234.5, -20, 550])
        self.assertEqual(self.slave.say("wrote"), "0 ok")

    def test_shows_every_order_and_what_the_device_refuses(self):
        _, out, _ = self.tool("peek", "line", "3", "input", "0", "7")
        for line in (r"input 0: 0x4366", r"float32   ABCD 230\.1 \*  BADC \S+  CDAB \S+  DCBA ", r"float32 .* CDAB 1234\.5 \*",
                     r"uint16    AB 65516  BA 60671", r"int16     AB -20 \*  BA -4865", r"uint16    AB 550 \*", r"input 6: [^0]"):
            self.assertRegex(out, line)

    def test_an_address_may_be_hexadecimal_as_in_data_sheets(self):
        self.assertEqual(self.tool("peek", "line", "3", "input", "0x5", "1"), self.tool("peek", "line", "3", "input", "5", "1"))

    def test_bits_are_bits(self):
        status, out, _ = self.tool("peek", "line", "3", "coil", "3", "2")
        self.assertEqual((status, out.splitlines()[:2]), (0, ["coil 3: true", "coil 4: false"]))
        self.configure(out.split("before you trust it\n")[1])
        self.assertRegex(self.tool("read", "unit-3.coil-3")[1], r"^unit-3\.coil-3: true, good")

    def test_a_unit_that_is_not_there_gives_no_configuration(self):
        self.slave.say("units 1 2")
        status, out, err = self.tool("peek", "line", "3", "input", "0", "2")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("jidgate: unit 3 does not answer", err)

    def test_wrong_words_are_wrong_usage(self):
        for words in (["line"], ["line", "x", "input", "0", "2"], ["line", "1", "inputs", "0", "2"], ["line", "256", "input", "0", "2"],
                      ["line", "1", "input", "65535", "2"], ["line", "1", "input", "0", "0"], ["line", "1", "input", "0", "126"]):
            self.assertEqual(self.tool("peek", *words)[:2], (2, ""), words)
        self.assertEqual(self.tool("peek", "lime", "1", "input", "0", "2")[:2], (1, ""))
        self.assertEqual(self.slave.say("asked"), "0 ok")


if __name__ == "__main__":
    unittest.main()
