"""The people of the story: owner, friend, stranger. Each is a c2s client that does only what it is told."""
from .ownership import Owns
from .peer import Peer
from .readings import Reads
from .settings import Sets

PLUGINS = ("xep_0323", "xep_0325")


class Actor(Peer, Reads, Sets, Owns):
    """approves: lets everybody who asks see its presence, as chat clients do for what they have added."""

    def __init__(self, stream, name, plugins=(), approves=True):
        super().__init__(stream, name, (*PLUGINS, *plugins))
        self.approves = approves

    def _note_presence(self, stanza):
        super()._note_presence(stanza)
        if stanza.type == "subscribe" and self.approves:
            self.send_presence(to=stanza.sender, kind="subscribed")

    def subscribe(self, thing):
        self.send_presence(to=thing, kind="subscribe")

    def unsubscribe(self, thing):
        self.send_presence(to=thing, kind="unsubscribe")

    async def befriend(self, thing):
        """Subscribes where the answer is yes already, and waits until the thing is seen."""
        self.subscribe(thing)
        await self.expect_presence(thing, "subscribed")
        return await self.expect_presence(thing)
