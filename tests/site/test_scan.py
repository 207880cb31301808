"""An installer with a strange meter: he types only what the tools print, and reads its values in the end."""
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.process import Child, die_with_parent, run
from lib.site.slave import Slave
from lib.site.waiting import eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
TEMPLATES = Path(__file__).resolve().parents[2] / "config/templates"
QUICK = ["--timeout", "60ms"]  # of the slave, which thinks no time


class Scan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.conf = self.folder / "site.conf"
        shutil.copytree(TEMPLATES, self.folder / "templates.d")
        self.slaves = []

    def slave(self, *kind, units=None):
        slave = Slave(*kind)
        self.addCleanup(slave.stop)
        if units:
            slave.must(f"units {units[0]} {units[1]}")
        self.slaves.append(slave)
        return slave

    def tearDown(self):
        for slave in self.slaves:
            self.assertEqual(slave.say("wrote"), "0 ok", "a scan only reads")

    def tool(self, *words):
        return run([BUILD / "jidgate", "-c", self.conf, *words], timeout=60)

    def type(self, line):
        """A line that a tool printed."""
        words = shlex.split(line.lstrip("# "))
        self.assertEqual(words[0], "jidgate")
        status, out, err = run([BUILD / "jidgate", *words[1:]], timeout=60)
        self.assertEqual(status, 0, f"{line}: {err}")
        return out

    def scan(self, *words):
        status, out, err = self.tool("scan", *words, *QUICK)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def found(self, *words):
        status, out, err = self.tool("--json", "scan", *words, *QUICK)
        self.assertEqual(status, 0, err)
        return json.loads(out)


def suggested(out, word):
    return [line for line in out.splitlines() if line.startswith("#   jidgate ") and f" {word} " in line]


def fill_sdm(slave, last):
    """Input registers of one of Eastron's meters, as far as it has them."""
    for address in range(0, last, 2):
        slave.put_float(address, 230.1 if address < 6 else 1.5)
    for address in range(last, 400):
        slave.must(f"except {address} 2")


class Installer(Scan):
    def line(self):
        ends = [self.folder / "near", self.folder / "far"]
        line = Child(["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)], self.folder / "socat.log")
        self.addCleanup(line.stop)
        line.wait_for(lambda: all(end.exists() for end in ends), "the serial line")
        return ends

    def read_what_was_found(self, out, value):
        self.conf.write_text(out)
        status, said, err = self.tool("check")
        self.assertEqual(status, 0, err)
        self.assertRegex(said, r"1 bus, 1 device, \d+ points")
        command, = suggested(out, "read")
        self.assertRegex(self.type(command), rf"^unit-\d+\.\S+: {value}, good")

    def test_a_known_meter_on_a_line_is_found_identified_configured_and_read(self):
        near, far = self.line()
        meter = self.slave("tty", far, units=(7, 7))
        fill_sdm(meter, 400)
        meter.must("identify Eastron SDM630 V1.2")
        out = self.scan("--device", near, "--units", "1-12")
        self.assertIn("# unit 7: Eastron SDM630 V1.2; like eastron-sdm630: Voltage L1 is 230.1 V", out)
        self.read_what_was_found(out, "230.1 V")

    def test_a_known_meter_over_tcp_is_found_configured_and_read(self):
        meter = self.slave(units=(7, 7))
        fill_sdm(meter, 400)
        self.read_what_was_found(self.scan("--host", f"127.0.0.1:{meter.where}", "--units", "1-12"), "230.1 V")

    def look_closer(self, out):
        self.conf.write_text(out)
        self.assertEqual(self.tool("check")[0], 0)
        peeks = suggested(out, "peek")
        self.assertEqual(len(peeks), 2)
        shown = self.type(next(line for line in peeks if " input " in line))
        device = shown.split("before you trust it\n")[1]
        self.conf.write_text(f"{out}\ndevices = (\n{device});\n")
        self.assertEqual(self.tool("check")[0], 0)
        command, = suggested(shown, "read")
        self.assertRegex(self.type(command), r"^unit-7\.input-0: 4321\.5, good")

    def test_a_meter_without_a_template_on_a_line_is_looked_at_configured_and_read(self):
        near, far = self.line()
        meter = self.slave("tty", far, units=(7, 7))
        meter.put_float(0, 4321.5)
        self.look_closer(self.scan("--device", near, "--units", "5-9"))

    def test_a_meter_without_a_template_over_tcp_is_looked_at_configured_and_read(self):
        meter = self.slave(units=(7, 7))
        meter.put_float(0, 4321.5)
        self.look_closer(self.scan("--host", f"127.0.0.1:{meter.where}", "--units", "5-9"))


class Line(Scan):
    def test_an_answer_at_the_wrong_speed_or_parity_is_no_find(self):
        meter = self.slave("pty", units=(3, 3))
        meter.must("line 19200 8E1")  # at others it is deaf, or answers with noise
        found = self.found("--device", meter.where, "--units", "1-4")
        self.assertEqual((found["baud"], found["mode"], [unit["unit"] for unit in found["units"]]), (19200, "8E1", [3]))

    def test_every_unit_of_the_line_is_found_once_one_is(self):
        meter = self.slave("pty", units=(9, 14))
        meter.must("line 9600 8O1")
        found = self.found("--device", meter.where, "--units", "1-16", "--bauds", "9600", "--parities", "E,O,N")
        self.assertEqual([unit["unit"] for unit in found["units"]], [9, 10, 11, 12, 13, 14])
        self.assertEqual(found["mode"], "8O1")

    def test_what_gives_no_good_answers_is_no_find_but_said(self):
        meter = self.slave("pty")
        for fault, words in (("wrong-crc", "wrong checksum"), ("echo", "switch off the adapter's echo"), ("babbling", "unit 1")):
            meter.must(f"fault {fault}")
            status, out, err = self.tool("scan", "--device", meter.where, "--units", "1", "--bauds", "9600", "--parities", "N", *QUICK)
            self.assertEqual((status, out), (1, ""), fault)
            self.assertIn("something is there", err)
            self.assertIn(words, err)

    def test_silence_says_where_to_look(self):
        meter = self.slave("pty")
        meter.must("fault silent")
        status, out, err = self.tool("scan", "--device", meter.where, "--units", "1-3", "--bauds", "9600", "--parities", "N", *QUICK)
        self.assertEqual((status, out, err.count("\n")), (1, "", 1))
        self.assertIn("no unit answers at any of 1 settings", err)

    def test_a_port_that_another_program_holds_is_left_alone(self):
        meter = self.slave("pty")
        holder = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "scan", "--device", meter.where, "--units", "2", "--timeout", "60s"],
                                  preexec_fn=die_with_parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            meter.must("fault silent")
            eventually(lambda: meter.say("asked 2") != "0 ok", "the first scan to ask")
            status, out, err = self.tool("scan", "--device", meter.where, *QUICK)
            self.assertEqual((status, out), (1, ""))
            self.assertIn("in use by another program", err)
        finally:
            holder.terminate()
            self.assertEqual(holder.wait(), 1, "it stops at once although it waits for a minute")


class Units(Scan):
    def at(self, slave, units="1-9"):
        return ["--host", f"127.0.0.1:{slave.where}", "--units", units]

    def test_the_model_of_a_family_is_the_one_that_has_all_its_points(self):
        for template in ("eastron-sdm120", "eastron-sdm230", "eastron-sdm630"):
            meter = self.slave(units=(2, 2))
            known = {int(at) for at in re.findall(r"address = (\d+)", (TEMPLATES / f"{template}.conf").read_text())}
            for address in known:
                meter.put_float(address, 1.5)
            meter.put_float(0, 230.1)
            meter.must(*(f"except {at} 2" for at in range(400) if not {at, at - 1} & known))
            unit, = self.found(*self.at(meter))["units"]
            self.assertEqual(unit["template"], template)

    def test_what_lacks_nothing_fits_better_than_what_has_more(self):
        def template(name, addresses):
            points = ", ".join(f'{{ id = "p{at}"; address = {at}; }}' for at in addresses)
            (self.folder / f"templates.d/{name}.conf").write_text(
                f'template = "{name}"; version = 1; protocol = "modbus"; addressing = "protocol"; probe = {{ point = "p300"; min = 7; max = 7; }};'
                f'defaults = {{ table = "holding"; type = "uint16"; }}; points = ( {points} );\n')
        template("a-large-one", [300, 301, 302, 303, 304])
        template("small-one", [300, 301])
        device = self.slave(units=(2, 2))
        device.must("set holding 300 7", "except 303 2", "except 304 2")
        self.assertEqual(self.found(*self.at(device))["units"][0]["template"], "small-one")
        device.must("except 303 0", "except 304 0")
        self.assertEqual(self.found(*self.at(device))["units"][0]["template"], "a-large-one")

    def test_a_voltage_alone_makes_no_meter(self):
        meter = self.slave(units=(2, 2))
        fill_sdm(meter, 2)
        unit, = self.found(*self.at(meter))["units"]
        self.assertIsNone(unit["template"])

    def test_a_value_that_is_not_plausible_is_no_fit(self):
        meter = self.slave(units=(2, 2))
        for address in range(0, 400, 2):
            meter.put_float(address, 7.5)  # nobody's voltage
        unit, = self.found(*self.at(meter))["units"]
        self.assertIsNone(unit["template"])

    def test_a_unit_that_refuses_everything_is_found_all_the_same(self):
        meter = self.slave(units=(2, 2))
        meter.must("fault exception -1 2")
        out = self.scan(*self.at(meter))
        self.assertIn("# unit 2: answers, but no template fits (it refuses holding register 0: exception 2, illegal address)", out)

    def test_a_unit_behind_a_gateway_that_is_not_there_is_no_find(self):
        gateway = self.slave()
        for code in (10, 11):
            gateway.must(f"fault exception -1 {code}")
            self.assertEqual(self.tool("scan", *self.at(gateway, "1-3"), *QUICK)[:2], (1, ""))

    def test_a_device_that_does_not_look_at_the_number_is_one(self):
        device = self.slave()
        found = self.found(*self.at(device, "4-200"))
        self.assertEqual((found["any_unit"], [unit["unit"] for unit in found["units"]]), (True, [4]))

    def test_it_is_named_as_it_says_with_function_43_or_17(self):
        device = self.slave(units=(1, 1))
        device.must("identify Acme X-1 V2")
        self.assertEqual(self.found(*self.at(device, "1-2"))["units"][0]["identity"], "Acme X-1 V2")
        device.must("lacks 43")
        self.assertEqual(self.found(*self.at(device, "1-2"))["units"][0]["identity"], "X-1")
        device.must("lacks 17")
        self.assertIsNone(self.found(*self.at(device, "1-2"))["units"][0]["identity"])

    def test_a_bus_of_the_configuration_is_scanned_as_it_stands_there_and_its_devices_are_known(self):
        meter = self.slave(units=(2, 3))
        fill_sdm(meter, 400)
        self.conf.write_text(f'buses = ( {{ id = "plc"; protocol = "modbus-tcp"; host = "127.0.0.1"; port = {meter.where}; }} );\n'
                             'devices = ( { id = "main"; bus = "plc"; unit_id = 2; template = "eastron-sdm630"; } );\n')
        out = self.scan("plc", "--units", "1-5")
        self.assertIn("# unit 2: is device 'main' of ", out)
        self.assertNotIn("buses =", out)
        more = self.folder / "devices.d"
        more.mkdir()
        (more / "found.conf").write_text(out)
        self.assertRegex(self.type(suggested(out, "read")[0]), r"^unit-3\.u1: 230\.1 V, good")

    def test_the_line_behind_a_converter_is_scanned_too(self):
        line = self.slave("rtu-tcp", units=(5, 6))
        line.must("identify Acme X-1 V2")
        self.conf.write_text(f'buses = ( {{ id = "far"; protocol = "modbus-rtu-tcp"; host = "127.0.0.1"; port = {line.where}; }} );\n')
        found = self.found("far", "--units", "1-8")
        self.assertEqual([(unit["unit"], unit["identity"]) for unit in found["units"]], [(5, "Acme X-1 V2"), (6, "Acme X-1 V2")])

    def test_ctrl_c_ends_it_at_once_with_what_it_has(self):
        meter = self.slave(units=(3, 3))
        child = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "scan", *self.at(meter, "3-247"), "--timeout", "5s"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        eventually(lambda: meter.say("asked 4") != "0 ok", "the next unit to be asked", timeout=20)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=4)  # less than the unit's five seconds
        self.assertEqual((child.returncode, err), (0, ""))
        self.assertIn("1 unit answers; stopped before the end", out)
        self.assertIn("# unit 3: answers", out)

    def test_a_terminal_sees_how_far_it_is_and_a_file_does_not(self):
        meter = self.slave(units=(3, 3))
        master, tty = pty.openpty()
        child = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "scan", *self.at(meter), *QUICK], stdout=subprocess.PIPE,
                                 stderr=tty, text=True, preexec_fn=die_with_parent)
        out, _ = child.communicate(timeout=20)
        os.close(tty)
        seen = b""
        while select.select([master], [], [], 0)[0]:
            try:
                seen += os.read(master, 4096)
            except OSError:
                break
        os.close(master)
        self.assertNotIn("[", out.split("buses")[0])
        self.assertRegex(seen.decode(), r"\[#+\.+\] unit \d; \d found")
        self.assertTrue(seen.decode().endswith("\r\x1b[K"), "the bar goes away")

    def test_wrong_words_are_wrong_usage(self):
        for words in ([], ["a", "b"], ["--device"], ["--device", "x", "--host", "y"], ["--host", "127.0.0.1", "--bauds", "9600"],
                      ["--device", "x", "--units", "0"], ["--device", "x", "--units", "1-300"], ["--device", "x", "--bauds", "9601"],
                      ["--device", "x", "--parities", "M"], ["--device", "x", "--timeout", "5"], ["--colour", "red"]):
            self.assertEqual(self.tool("scan", *words)[:2], (2, ""), words)
        self.assertEqual(self.tool("scan", "nobus")[:2], (1, ""))
        self.assertEqual(self.tool("scan", "--host", "127.0.0.1:1")[:2], (1, ""))


if __name__ == "__main__":
    unittest.main()
