#!/usr/bin/python3
"""A thing that is not ours: it registers where it is told and speaks siot as the ProtoXEP's examples do.

    foreign_thing.py client    SERVICE KEY JID PASSWORD PORT
    foreign_thing.py component SERVICE KEY JID SECRET   PORT      JID: localpart@component domain

It has one value, "Temperature", and one switch, "Output"; its friends and its owner may use them (XEP-0323, XEP-0325).
"""
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lib.site.peer import Peer
from lib.site.stanza import CONTROL, SENSORDATA, SIOT, STANZAS, STREAMS, bare, element
from lib.site.waiting import Failed

ANY = (SIOT, "", *STREAMS)
NAME, NAME_DE = "Futuretec Light Bulb 10X", "Futuretec Glühbirne 10X"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class ForeignThing(Peer):
    """states_name: how it tells its name, "elements" as Example 1 has it or "attribute" as the text above it has it."""

    def __init__(self, stream, name, plugins=(), service=None, key=None, local=None, states_name="elements",
                 query_namespace=None):
        super().__init__(stream, name, plugins)
        self.service, self.key, self.local, self.states_name = service, key, local, states_name
        self.query_namespace = query_namespace or stream.default_ns  # Example 9: none of its own
        self.owner = None
        self.friends, self.waiting = set(), set()
        self.output = False
        self._tasks = set()
        for kind in ("message", "iq"):
            self.on(kind, "owner", ANY, self._on_owner)
            self.on(kind, "friendship-states", ANY, self._on_states)
            self.on(kind, "set", CONTROL, self._on_set)
        self.on("iq", "req", SENSORDATA, self._on_read)

    @property
    def me(self):
        return f"{self.local}@{self.name}/f65dece8" if self.stream.is_component else self.jid

    # registration
    async def register(self):
        names = [element(SIOT, "name", NAME), element(SIOT, "name", NAME_DE)] if self.states_name == "elements" else []
        for name in names[1:]:
            name.set(LANG, "de")
        attribute = None if names else NAME
        answer = await self.ask("set", self.service, element(SIOT, "register", None, *names, key=self.key, name=attribute),
                                sender=self.me)
        if answer.type == "error":
            raise Failed(f"{self.me} cannot register: {answer.condition}")
        return answer

    def _on_owner(self, stanza, child):
        if bare(stanza.sender) == self.service:
            self.owner = bare(child.get("jid"))
        self._acknowledge(stanza)

    def _acknowledge(self, stanza):
        if stanza.name == "iq":
            self.reply(stanza)

    # friends
    def _note_presence(self, stanza):
        super()._note_presence(stanza)
        if stanza.type == "subscribe":
            self._on_subscribe(bare(stanza.sender))
        elif stanza.type == "unsubscribe":
            self.friends.discard(bare(stanza.sender))

    def _on_subscribe(self, requestor):
        if requestor in (self.service, self.owner) or requestor in self.friends:
            self._admit(requestor)
        else:
            self.waiting.add(requestor)
            task = asyncio.ensure_future(self._ask_service(requestor))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask_service(self, requestor):
        query = element(self.query_namespace, "is-friend-query", None, jid=requestor)
        answer = await self.ask("get", self.service, query, sender=self.me)
        result = answer.child("is-friend-result", ANY)
        self._decide(requestor, "pending" if result is None else result.get("friend"))

    def _on_states(self, stanza, child):
        if bare(stanza.sender) == self.service:
            for item in child:
                self._decide(bare(item.get("jid")).lower(), item.get("friend"))
        self._acknowledge(stanza)

    def _decide(self, requestor, state):
        if state == "yes":
            self._admit(requestor)
        elif state == "no":
            self.friends.discard(requestor)
            self.waiting.discard(requestor)
            self.send_presence(requestor, "unsubscribed", sender=bare(self.me))

    def _admit(self, requestor):
        self.waiting.discard(requestor)
        if requestor != self.service:
            self.friends.add(requestor)
        self.send_presence(requestor, "subscribed", sender=bare(self.me))
        if self.stream.is_component:
            self.send_presence(requestor, sender=self.me)

    # data
    def _may(self, stanza):
        return bare(stanza.sender) in self.friends | {self.owner}

    def _forbid(self, stanza):
        self.reply(stanza, element(self.stream.default_ns, "error", None, element(STANZAS, "forbidden"), type="auth"),
                   kind="error")

    def _on_read(self, stanza, child):
        if not self._may(stanza):
            return self._forbid(stanza)
        seqnr = child.get("seqnr")
        self.reply(stanza, element(SENSORDATA, "accepted", None, seqnr=seqnr))
        value = element(SENSORDATA, "numeric", None, name="Temperature", momentary="true", automaticReadout="true",
                        value="23.4", unit="°C")
        time = element(SENSORDATA, "timestamp", None, value, value="2024-01-01T12:00:00Z")
        node = element(SENSORDATA, "node", None, time, nodeId="thing")
        self.send("message", element(SENSORDATA, "fields", None, node, seqnr=seqnr, done="true"), to=stanza.sender,
                  sender=self.me)

    def _on_set(self, stanza, child):
        if not self._may(stanza):
            return stanza.name == "iq" and self._forbid(stanza)
        for item in child:
            if item.get("name") == "Output":
                self.output = item.get("value") in ("true", "1")
        if stanza.name == "iq":
            self.reply(stanza, element(CONTROL, "setResponse", None, responseCode="OK"))


async def main(kind, service, key, jid, password, port):
    local, domain = jid.split("@")
    make = {"client": lambda: ForeignThing.client(jid, password, int(port), service=service, key=key),
            "component": lambda: ForeignThing.component(domain, password, int(port), service=service, key=key, local=local)}
    async with make[kind]() as thing:
        await thing.register()
        print(f"{thing.me} is registered", flush=True)
        await thing.stream.disconnected


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
