"""What tests of the whole program share: a site in a folder of its own, its log, its people."""
import os
import tempfile
import unittest
from pathlib import Path

from .actors import Actor
from .sim_site import SimSite

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()


class Program(unittest.IsolatedAsyncioTestCase):
    def new_folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name)

    def new_site(self, start=True, **more):
        self.site = SimSite(self.new_folder(), BUILD, **more)
        self.addCleanup(self.site.stop)
        self.site.start_server()
        if start:
            self.site.jidgate.start()
        return self.site

    def log(self, level="346"):
        """Lines of warnings, errors and news; debug is for us."""
        return [line for line in self.site.jidgate.child.output().splitlines() if line[1:2] in level]

    def lines(self, *fragments, level="346"):
        return [line for line in self.log(level) if all(it in line for it in fragments)]

    async def people(self, *names):
        return [await self.enterAsyncContext(self.site.peer(Actor, name)) for name in names]
