"""Some meters on a wall, each with an account of its own: simulated, so that only XMPP is real."""
import secrets
from pathlib import Path

from .jidgate import Jidgate
from .process import Child
from .xmpp_server import DOMAIN

ROSTER = """return {{
	["{friend}"] = {{ ["subscription"] = "from"; ["groups"] = {{}}; }};
	[false] = {{ ["version"] = 1; }};
}};
"""


class Wall:
    """wrong: localparts whose password file is not what the server has; xmpp: settings, None takes one away."""

    def __init__(self, folder: Path, build: Path, server, n, wrong=(), xmpp=None, env=None):
        self.server, self.n = server, n
        self.folder = Path(folder)
        self.passwords = {self.local(i): secrets.token_urlsafe(12) for i in range(n)}
        self.wrong, self.more, self.env = wrong, xmpp or {}, env or {}
        self.jidgate = Jidgate(self.folder, build / "jidgate", self.settings)

    @staticmethod
    def local(i):
        return f"wall.m{i}"

    @property
    def child(self):
        return self.jidgate.child

    def address(self, i):
        """The full JID, which reaches the thing itself."""
        return f"{self.local(i)}@{DOMAIN}/thing"

    def _password_file(self, local):
        path = self.folder / f"password-{local}"
        path.touch(mode=0o600)
        path.write_text("wrong" if local in self.wrong else self.passwords[local])
        return path

    def settings(self):
        points = [{"id": f"m{i}", "name": "Power", "type": "real", "decimals": 1, "unit": "W", "wave": "held", "mean": 20.5,
                   "poll": "1s", "password_file": self._password_file(self.local(i))} for i in range(self.n)]
        xmpp = {"mode": "accounts", "domain": DOMAIN, "host": "127.0.0.1", "port": self.server.ports["c2s"],
                "ca_file": self.server.ca_file, **self.more}
        return {
            "xmpp": {name: value for name, value in xmpp.items() if value is not None},
            "buses": [{"id": "sim", "protocol": "sim"}],
            "devices": [{"id": "wall", "bus": "sim", "name": "Wall", "points": points}],
        }

    def start(self):
        """Not until it is ready: perhaps it never will be."""
        self.jidgate.configure()
        options = self.jidgate.options()
        options["env"] |= self.env
        self.jidgate.child = Child(self.jidgate.command(), self.jidgate.folder / "output.log", **options)
        return self

    def expect(self, line, timeout=30.0):
        self.child.wait_for_line(line, timeout)

    def count(self, text):
        return sum(text in line for line in self.child.output().splitlines())

    def befriend(self, i, jid):
        """In Prosody's own files, while it has not read them."""
        folder = self.server.folder / "data" / DOMAIN / "roster"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.local(i).replace('.', '%2e')}.dat").write_text(ROSTER.format(friend=jid))
