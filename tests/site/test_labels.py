"""What is printed and stuck on a device: a sheet whose QR codes a phone can read, the same with and without the daemon."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.sim_site import BOILER, HALL, SERVICE, SimSite, switch

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
SVG = "{http://www.w3.org/2000/svg}"
ODD = {"id": "odd", "bus": "sim", "name": "<b>Tom & \"Jerry's\"\tcellar with a name that is longer than any label is wide", "points": [switch("x")]}


def draw(code):
    """An SVG of bars as an image of eight pixels a module (PGM)."""
    side = int(code.get("viewBox").split()[2])
    dark = [bytearray(b"\xff" * side) for _ in range(side)]
    for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code.find(f"{SVG}path").get("d")):
        dark[int(y)][int(x):int(x) + int(n)] = bytes(int(n))
    rows = b"".join(b"".join(bytes([pixel]) * 8 for pixel in row) * 8 for row in dark)
    return b"P5 %d %d 255\n" % (side * 8, side * 8) + rows


def scan(code, folder):
    image = folder / "code.pgm"
    image.write_bytes(draw(code))
    done = subprocess.run(["zbarimg", "--quiet", "--raw", image], capture_output=True, text=True, check=False)
    return done.stdout.strip()


class Sheet(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.site = SimSite(self.folder, BUILD, devices=(HALL, BOILER, ODD))
        self.addCleanup(self.site.stop)
        self.site.start_server()

    def print(self, form):
        status, out, err = self.site.jidgate.words("labels", "--format", form)
        self.assertEqual((status, err), (0, ""))
        return out

    def test_its_codes_say_what_claims(self):
        self.site.jidgate.configure()
        labels = [json.loads(line) for line in self.print("json").splitlines()]
        self.assertEqual(len(labels), 5, "four things, and the hall as a whole")
        for label in labels:
            self.assertEqual(label["claim"], f"xmpp:{SERVICE}?message;body=claim%20{label['key']}")
        root = ET.fromstring(self.print("svg"))
        codes = root.findall(f".//{SVG}svg")
        self.assertEqual([scan(code, self.folder) for code in codes], [label["claim"] for label in labels])
        texts = {text.text for text in root.iter(f"{SVG}text")}
        for label in labels:
            self.assertIn(label["name"], texts)
            self.assertIn(label["thing"] or "all things of this device", texts)
            self.assertTrue({label["key"][:15], label["key"][15:]} <= texts)
        self.assertIn(ODD["name"].replace("\t", " ") + " x", texts)

    def test_a_printer_gets_one_page_element_for_each(self):
        self.site.jidgate.configure()
        out = self.print("html")
        self.assertEqual(out.count('<svg class="label"'), 5)
        self.assertNotIn("<b>Tom", out)
        body = re.search(r"<body.*</body>", out, re.S)[0]
        self.assertEqual(len(ET.fromstring(body).findall(f".//{SVG}path")), 5)

    def test_the_daemon_gives_the_same(self):
        self.site.jidgate.configure()
        before = {form: self.print(form) for form in ("text", "tsv", "json", "svg", "html")}
        self.site.jidgate.start()
        self.assertEqual({form: self.print(form) for form in before}, before)

    def test_without_a_service_there_is_no_code_and_it_is_said(self):
        right = self.site.settings
        self.site.jidgate.settings = lambda: {**right(), "provisioning": {}}
        self.site.jidgate.configure()
        status, out, err = self.site.jidgate.words("labels", "--format", "svg")
        self.assertEqual((status, out.count("<path")), (0, 0))
        self.assertIn("no provisioning service is known", err)
        self.assertEqual(self.site.jidgate.words("labels", "--format", "pdf")[0], 2)
        self.assertEqual(self.site.jidgate.words("labels", "pdf")[0], 2)


if __name__ == "__main__":
    unittest.main()
