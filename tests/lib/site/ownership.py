"""The owner's side of siot: claim, see who waits, decide, let go."""
from .inbox import TIMEOUT
from .readings import Refused
from .stanza import EXTENSION, SIOT, element

THING = f"{{{EXTENSION}}}thing"


class Owns:
    """What a Peer can do as an owner; every error of the service is Refused."""

    async def _serve(self, kind, service, payload):
        answer = await self.ask(kind, service, payload)
        if answer.type == "error":
            raise Refused(answer)
        return answer

    async def claim(self, service, key, name=None):
        """JIDs of what is claimed now: one, or all the things of a device."""
        answer = await self._serve("set", service, element(SIOT, "claim", None, name=name, key=key))
        claimed = answer.child("claimed", SIOT)
        return [claimed.get("jid"), *(also.get("jid") for also in claimed)]

    async def pending(self, service):
        """Who waits: (requestor, thing) ...; thing is None if the service does not say."""
        answer = await self._serve("get", service, element(SIOT, "pending-friend-query"))
        return [(item.get("jid"), item.get(THING)) for item in answer.child("pending-friend-requests", SIOT)]

    async def decide(self, service, friends=(), strangers=(), thing=None):
        """Friends are let in, strangers are turned out; of one thing, or of those the service finds."""
        items = [element(SIOT, "friend", None, jid=jid) for jid in friends]
        items += [element(SIOT, "non-friend", None, jid=jid) for jid in strangers]
        for item in items:
            if thing:
                item.set("xmlns:x", EXTENSION)  # as it stands: slixmpp writes no attribute of a namespace it was not told
                item.set("x:thing", thing)
        return await self._serve("set", service, element(SIOT, "friend-state-update", None, *items))

    async def give_up(self, service, thing):
        return await self._serve("set", service, element(EXTENSION, "give-up", None, jid=thing))

    async def things(self, service):
        """What I own: JID -> name."""
        answer = await self._serve("get", service, element(EXTENSION, "things"))
        return {item.get("jid"): item.get("name") for item in answer.child("things", EXTENSION)}

    async def friends_of(self, service, thing):
        answer = await self._serve("get", service, element(EXTENSION, "friends", None, thing=thing))
        return [item.get("jid") for item in answer.child("friends", EXTENSION)]

    async def expect_nudge(self, service, timeout=TIMEOUT):
        """siot's word that somebody waits for a decision; it carries a sentence for people as well."""
        return await self.expect_message(service, "pending-friend-notification", SIOT, timeout=timeout)
