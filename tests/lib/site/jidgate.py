"""The gateway itself: its configuration file, its life, its command line."""
import os
import re
import signal
import socket
from dataclasses import dataclass

from .libconfig import print_settings
from .process import Child, must_run, run
from .server import Server


ENDS = re.compile(r"(reloaded: .*|not taken over, .*)\n")


@dataclass(frozen=True)
class Label:
    jid: str
    key: str  # empty once the thing has an owner
    name: str


class Jidgate(Server):
    """settings: a function that gives the configuration as data; asked at each start, so that ports may be chosen late."""
    name = "jidgate"
    kinds = {}
    timeout = 30.0

    def __init__(self, folder, program, settings):
        super().__init__(folder)
        self.program, self.settings = program, settings
        self.file = self.folder / "site.conf"
        self._notify = None
        self.told = []  # lines to systemd since the last start
        self.environment = {}  # more of it

    def write(self):
        """The configuration file, as the settings are now."""
        common = {"name": "Boiler house", "state": self.folder / "state", "control": self.folder / "control.sock",
                  "log": "debug"}
        (self.folder / "state").mkdir(exist_ok=True)
        settings = self.settings()
        self.file.write_text(print_settings({"gateway": common | settings.pop("gateway", {}), **settings}))
        self.file.chmod(0o600)

    def configure(self):
        """Also the socket on which the daemon tells systemd that it is ready."""
        self.write()
        self._close_notify()
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._notify.bind(str(self.folder / "notify.sock"))
        self.told.clear()

    def _close_notify(self):
        if self._notify:
            self._notify.close()
            (self.folder / "notify.sock").unlink(missing_ok=True)
            self._notify = None

    def command(self):
        return [self.program, "run", "-c", self.file]

    def options(self):
        return {"env": {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify.sock"), **self.environment}}

    def listen(self):
        """What systemd was told so far, in order."""
        while True:
            try:
                self.told += self._notify.recv(4096).decode(errors="replace").splitlines()
            except BlockingIOError:
                return self.told

    def is_ready(self):
        return "READY=1" in self.listen()

    def launch(self):
        """start() without waiting for READY."""
        self.configure()
        self.child = Child(self.command(), self.folder / "output.log", **self.options())
        return self.child

    def reload(self, write=True, timeout=20.0):
        """What the log says of it; with what the settings are now, or with the file as it stands."""
        if write:
            self.write()
        begin = len(self.child.output())
        self.child.signal(signal.SIGHUP)
        self.child.wait_for(lambda: ENDS.search(self.child.output()[begin:]), "the end of the reload", timeout)
        return self.child.output()[begin:]

    def stop(self):
        """The exit status; 0 is a clean end."""
        status = super().stop()
        self._close_notify()
        return status

    # the command line
    def words(self, *words):
        """(status, stdout, stderr) of `jidgate WORDS -c FILE`."""
        return run([self.program, *words, "-c", self.file])

    def check(self):
        self.configure()
        return must_run([self.program, "check", "-c", self.file]).strip()

    def labels(self):
        lines = must_run([self.program, "labels", "--format", "tsv", "-c", self.file]).splitlines()
        return {label.jid: label for label in (Label(*line.split("\t")) for line in lines)}
