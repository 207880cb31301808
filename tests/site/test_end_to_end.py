"""The whole story on a real site: every transport on every server, from one table."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.boiler_house import BoilerHouse
from lib.site.ejabberd import Ejabberd
from lib.site.prosody import Prosody
from lib.site.scenario import Stage, play

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
ROWS = (
    ("component", Prosody),
    ("component", Ejabberd),
    ("accounts", Prosody),
    ("accounts", Ejabberd),
)


class EndToEnd(unittest.IsolatedAsyncioTestCase):
    async def play(self, mode, server):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        house = BoilerHouse(Path(folder.name), BUILD, server, mode)
        self.addCleanup(house.stop)
        house.start_surroundings()
        async with Stage(house) as stage:
            await play(stage, lambda *told: self.hear(house, *told))

    def hear(self, house, chapter, sentence, seen, failure):
        if failure:
            child = house.jidgate.child
            self.fail(f"{chapter}: {sentence}: {failure}\njidgate said:\n{child.tail(40) if child else 'nothing'}")


def add(mode, server):
    async def test(self):
        await self.play(mode, server)
    setattr(EndToEnd, f"test_the_story_in_{mode}_mode_on_{server.name}", test)


for row in ROWS:
    add(*row)

if __name__ == "__main__":
    unittest.main()
