"""The Modbus slave of tests/peers, as a program that obeys lines: see modbus_slave.c."""
import os
import struct
import subprocess
from pathlib import Path

from lib.site.process import die_with_parent

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()


class Slave:
    """kind: tcp, pty, or tty and its path."""

    def __init__(self, *kind):
        found = [at for at in (BUILD / "modbus_slave", BUILD / "tests" / "modbus_slave") if at.exists()]
        self.child = subprocess.Popen([found[0], *(kind or ["tcp"])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      preexec_fn=die_with_parent)
        self.where = self.child.stdout.readline().split()[1]  # port or path

    def say(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().strip()

    def must(self, *lines):
        for line in lines:
            answer = self.say(line)
            assert answer.endswith("ok"), f"{line}: {answer}"

    def put_float(self, address, value, table="input"):
        """Two registers, the higher one first."""
        for i, word in enumerate(struct.unpack(">HH", struct.pack(">f", value))):
            self.must(f"set {table} {address + i} {word}")

    def stop(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()
