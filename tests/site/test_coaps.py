"""coaps as an installer meets it: keys and certificates in files, libcoap's server, and the words of the command line."""
import os
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.certificates import Authority
from lib.site.ports import UDP, free_port
from lib.site.process import die_with_parent, must_run, run
from lib.site.waiting import eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
KEY = "correct-horse-battery"


def two_ports():
    """A free port behind which another is free: libcoap's server takes the next one for DTLS."""
    while True:
        port = free_port(UDP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                pass


class Coaps(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.conf = self.folder / "site.conf"
        self.port = two_ports()
        (self.folder / "mesh.psk").write_text(KEY + "\n")
        (self.folder / "mesh.psk").chmod(0o600)

    def serve(self, *words):
        server = subprocess.Popen(["coap-server-openssl", "-A", "127.0.0.1", "-p", str(self.port), "-d", "5", *map(str, words)],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        eventually(self.shows_the_value, "the server answers")

    def shows_the_value(self):
        run(self.client("put", "-e", "21.50"))
        return run(self.client("get"))[1].strip() == "21.50"

    def client(self, method, *words):
        return ["coap-client-openssl", "-B", "2", "-m", method, *words, f"coap://127.0.0.1:{self.port}/example_data"]

    def configure(self, bus, device, host="localhost"):
        self.conf.write_text(f"""
buses = ( {{ id = "mesh"; protocol = "coap"; handshake = "3s"; {bus} }} );
devices = ( {{ id = "porch"; bus = "mesh"; uri = "coaps://{host}:{self.port + 1}"; {device}
    points = ( {{ id = "t"; path = "/example_data"; type = "real"; unit = "°C"; access = "rw"; min = 0; max = 90;
                  write = {{ confirm = "readback"; }}; }} ); }} );
""")

    def tool(self, *words):
        status, out, err = run([BUILD / "jidgate", "-c", self.conf, *words])
        self.assertNotIn(KEY, out + err, "a secret is never shown")
        return status, out, err

    def test_with_a_key_values_are_read_and_written(self):
        self.serve("-k", KEY)
        self.configure('psk_identity = "gate"; psk_file = "mesh.psk";', "")
        self.assertEqual(self.tool("check")[0], 0)
        status, out, err = self.tool("read", "porch.t")
        self.assertRegex(out, r"^porch\.t: 21\.50 °C, good", err)
        self.assertEqual(self.tool("write", "porch.t", "44.5")[0], 0)
        self.assertEqual(must_run(self.client("get")).strip(), "44.5")
        self.assertIn("mesh.psk", self.tool("show-config")[1])

    def test_with_certificates_the_name_counts(self):
        authority = Authority(self.folder / "pki")
        certificate, key = authority.sign(["localhost"], "device")
        self.serve("-c", certificate, "-j", key, "-R", authority.certificate, "-n")
        self.configure("", f'tls = {{ ca_file = "{authority.certificate}"; }};')
        status, out, err = self.tool("read", "porch.t")
        self.assertRegex(out, r"^porch\.t: 21\.50 °C, good", err)
        self.configure("", f'tls = {{ ca_file = "{authority.certificate}"; }};', host="127.0.0.1")
        status, out, err = self.tool("read", "porch.t")
        self.assertEqual(status, 1)
        self.assertIn("the certificate of the device is not for '127.0.0.1'", out + err)

    def test_a_wrong_key_is_a_sentence(self):
        self.serve("-k", "another key")
        self.configure("", 'psk_identity = "gate"; psk_file = "mesh.psk";')
        status, out, err = self.tool("read", "porch.t")
        self.assertEqual(status, 1)
        self.assertIn("DTLS handshake", out + err)


if __name__ == "__main__":
    unittest.main()
