#!/usr/bin/python3
"""A provisioning service that says what the ProtoXEP's examples say, word for word and slip for slip.

    protoxep_service.py DOMAIN SECRET PORT [S12 S16 ...]      as a component on this machine, until it is ended

Each slip is a reading of the text that a thing has to live with; the numbers are those of the project's notes on siot.
"""
import asyncio
import sys
from pathlib import Path
from xml.sax.saxutils import quoteattr

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib.site.peer import Peer
from lib.site.stanza import SIOT, STREAMS, bare

SLIPS = {
    "S12": "the owner is told to the full JID of the thing (Example 7)",
    "S15": "never subscribes to the thing's presence, although section 4 says it must",
    "S16": "is-friend-result has no xmlns (Examples 10-12)",
    "S26": "the result of a friend-state-update has type='set' (Example 17)",
    "S30": "JIDs in lists and states have capital letters (possibleFriend@, Example 15)",
    "S33": "the result of a registration goes to a longer resource than it came from (Example 2)",
}
EXAMPLES = frozenset({"S12", "S16", "S26"})
ANY = (SIOT, "", *STREAMS)  # Example 9 has no xmlns either


def capital(jid):
    return jid[:1].upper() + jid[1:]


class ProtoxepService(Peer):
    def __init__(self, stream, name, plugins=(), slips=EXAMPLES):
        super().__init__(stream, name, plugins)
        self.slips = slips
        self.things = {}  # bare JID -> full JID
        self.keys = {}  # key -> bare JID
        self.names = {}  # bare JID -> the names it registered with
        self.owners = {}  # bare JID of a thing -> bare JID
        self.friends = {}  # (thing, requestor) -> yes, no, pending
        self.on("iq", "register", SIOT, self.register)
        self.on("iq", "claim", SIOT, self.claim)
        self.on("iq", "is-friend-query", ANY, self.is_friend)
        self.on("iq", "pending-friend-query", SIOT, self.list_pending)
        self.on("iq", "friend-state-update", SIOT, self.update)

    def _jid(self, jid):
        return quoteattr(capital(jid) if "S30" in self.slips else jid)

    def _result(self, stanza, payload="", kind="result", to=None):
        self.send_raw(f"<iq from='{self.name}' to={quoteattr(to or stanza.sender)} type='{kind}' id={quoteattr(stanza.id)}>"
                      f"{payload}</iq>")

    def _refuse(self, stanza):
        self._result(stanza, "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
                     "error")

    def _message(self, to, payload):
        self.send_raw(f"<message from='{self.name}' to={quoteattr(to)} id='{self.new_id()}'>{payload}</message>")

    # the thing's side
    def register(self, stanza, child):
        thing = bare(stanza.sender)
        self.things[thing] = stanza.sender
        self.keys[child.get("key")] = thing
        self.names[thing] = [child.get("name"), *(name.text for name in child)]
        self._result(stanza, to=stanza.sender + ("-4d69-4b71-80ed-da9562882a61" if "S33" in self.slips else ""))
        if "S15" not in self.slips:
            self.send_raw(f"<presence from='{self.name}' to={quoteattr(thing)} id='subscription-request-1' type='subscribe'/>")
        if thing in self.owners:
            self._tell_owner(thing)

    def _tell_owner(self, thing):
        to = self.things[thing] if "S12" in self.slips else thing
        self._message(to, f"<owner xmlns='{SIOT}' jid={quoteattr(self.owners[thing])}/>")

    def is_friend(self, stanza, child):
        thing, requestor = bare(stanza.sender), bare(child.get("jid"))
        state = self.friends.setdefault((thing, requestor), "pending")
        xmlns = "" if "S16" in self.slips else f" xmlns='{SIOT}'"
        self._result(stanza, f"<is-friend-result{xmlns} friend='{state}'/>")
        if state == "pending" and thing in self.owners:
            self._message(self.owners[thing], f"<pending-friend-notification xmlns='{SIOT}'/>")

    # the owner's side
    def claim(self, stanza, child):
        thing, owner = self.keys.get(child.get("key")), bare(stanza.sender)
        if not thing or self.owners.get(thing, owner) != owner:
            return self._refuse(stanza)
        self.owners[thing] = owner
        self._result(stanza, f"<claimed xmlns='{SIOT}' jid={quoteattr(thing)}/>")
        self._tell_owner(thing)

    def _of_owner(self, owner):
        return [thing for thing, its in self.owners.items() if its == owner]

    def list_pending(self, stanza, _):
        mine = self._of_owner(bare(stanza.sender))
        waiting = [jid for (thing, jid), state in self.friends.items() if state == "pending" and thing in mine]
        items = "".join(f"<pending-friend jid={self._jid(jid)}/>" for jid in waiting)
        self._result(stanza, f"<pending-friend-requests xmlns='{SIOT}'>{items}</pending-friend-requests>")

    def update(self, stanza, child):
        """There is no thing in the examples: it is all of them (S25)."""
        states = {item.get("jid").lower(): "yes" if item.tag.endswith("}friend") else "no" for item in child}
        self._result(stanza, kind="set" if "S26" in self.slips else "result")
        items = "".join(f"<item jid={self._jid(jid)} friend='{state}'/>" for jid, state in states.items())
        for thing in self._of_owner(bare(stanza.sender)):
            self.friends.update({(thing, jid): state for jid, state in states.items()})
            self._message(thing, f"<friendship-states xmlns='{SIOT}'>{items}</friendship-states>")


async def main(domain, secret, port, *slips):
    async with ProtoxepService.component(domain, secret, int(port), slips=frozenset(slips) or EXAMPLES) as service:
        print(f"{domain} is up", flush=True)
        await service.stream.disconnected


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
