"""What all our servers have in common: a private folder, free ports, start, stop, back again on the same ports."""
from pathlib import Path

from .ports import TCP, free_port, listens
from .process import Child
from .waiting import Failed

TRIES = 3  # a free port can be taken by somebody else before we have it


class Server:
    name = "server"
    kinds = {"main": TCP}  # port name -> tcp or udp
    timeout = 20.0

    def __init__(self, folder: Path):
        self.folder = Path(folder) / self.name
        self.folder.mkdir(parents=True)
        self.ports = {}
        self.child = None

    # what a server says about itself
    def configure(self):
        """Writes its files; self.ports are chosen."""

    def command(self):
        raise NotImplementedError

    def options(self):
        """Keyword arguments for Child."""
        return {}

    def is_ready(self):
        """Listens on each of its ports."""
        return all(listens(self.child.pid, self.ports[name], kind) for name, kind in self.kinds.items())

    @property
    def port(self):
        return self.ports["main"]

    # what a test does with it
    def start(self):
        chosen_before = bool(self.ports)
        for left in reversed(range(TRIES if self.kinds else 1)):
            if not chosen_before:
                self.ports = {name: free_port(kind) for name, kind in self.kinds.items()}
            try:
                self._start_once()
                return self
            except Failed:
                self.stop()
                if not left:
                    raise
        return self

    def _start_once(self):
        self.configure()
        self.child = Child(self.command(), self.folder / "output.log", **self.options())
        self.child.wait_for(self.is_ready, f"{self.name} to be ready", self.timeout)

    def stop(self):
        return self.child.stop() if self.child else None

    def kill(self):
        self.child.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
