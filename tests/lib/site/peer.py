"""One end of an XMPP stream that does only what a test tells it: a client or a component.

slixmpp brings the stream up and answers what nobody here answers; its roster is switched off, because a peer that
approves or declines by itself hides what the gateway did.
"""
import asyncio
import itertools
import logging

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)  # before it is imported: it already warns then
logging.getLogger("asyncio").setLevel(logging.ERROR)

import slixmpp
from slixmpp.xmlstream import tostring

from .inbox import TIMEOUT, Inbox
from .stanza import PING, ROSTER, Stanza, bare, element, local_name, namespace
from .waiting import Failed

PLUGINS = ("xep_0030", "xep_0199")


class Peer:
    def __init__(self, stream, name, plugins=()):
        self.stream = stream
        self.name = name
        self.inbox = Inbox(name)
        self.present = {}  # bare JID -> {full JID: the last available presence}
        self._ids = itertools.count(1)
        self._rows = []  # (stanza name, child name, namespaces or None, function)
        self._opened = None
        for plugin in (*PLUGINS, *plugins):
            stream.register_plugin(plugin)
        stream.remove_handler("Presence")
        stream.add_filter("in", self._incoming)
        stream.add_event_handler("session_start", lambda _: self._settle(None))
        for trouble in ("failed_auth", "connection_failed", "stream_error", "disconnected"):
            stream.add_event_handler(trouble, lambda why, trouble=trouble: self._settle(f"{trouble}: {why}"))

    @classmethod
    def client(cls, jid, password, port, ca_file=None, plugins=(), **more):
        """A c2s client on this machine; in plain text unless there is a certificate authority to check against."""
        stream = slixmpp.ClientXMPP(jid, password)
        stream.use_ipv6 = stream.use_aiodns = False
        stream.ca_certs = str(ca_file) if ca_file else None
        stream.default_port = port  # else it looks up "localhost" together with 5222
        peer = cls(stream, jid, plugins, **more)
        peer._connect = lambda: stream.connect(("localhost" if ca_file else "127.0.0.1", port),
                                               force_starttls=bool(ca_file), disable_starttls=not ca_file)
        return peer

    @classmethod
    def component(cls, domain, secret, port, plugins=(), **more):
        stream = slixmpp.ComponentXMPP(domain, secret, "127.0.0.1", port)
        stream.use_ipv6 = stream.use_aiodns = False
        peer = cls(stream, domain, plugins, **more)
        peer._connect = stream.connect
        return peer

    # coming and going
    @property
    def jid(self):
        """Full JID of a client once it is online, the domain of a component."""
        return str(self.stream.boundjid)

    @property
    def bare_jid(self):
        return bare(self.jid)

    async def connect(self, timeout=TIMEOUT):
        self._opened = asyncio.get_running_loop().create_future()
        self.inbox.open()
        self._connect()
        try:
            why = await asyncio.wait_for(self._opened, timeout)
        except TimeoutError:
            why = f"no session after {timeout:g} s"
        if why:
            await self.leave()
            raise Failed(f"{self.name} cannot connect: {why}")
        return self

    def _settle(self, trouble):
        if self._opened and not self._opened.done():
            self._opened.set_result(trouble)
        elif trouble:
            self.present.clear()
            self.inbox.close(trouble)

    async def come_online(self, timeout=TIMEOUT):
        """connect(), then what makes a client an available resource: the roster is asked for, presence is sent."""
        await self.connect(timeout)
        await self.ask("get", None, element(ROSTER, "query"))
        self.send_presence()
        return self

    async def leave(self):
        self.stream.cancel_connection_attempt()
        await self.stream.disconnect(wait=1.0)

    async def __aenter__(self):
        return await (self.connect() if self.stream.is_component else self.come_online())

    async def __aexit__(self, *_):
        await self.leave()

    # what comes in
    def on(self, name, tag, namespaces, function):
        """function(stanza, child) answers stanzas of this name with this child; nobody else then does."""
        self._rows.append((name, tag, namespaces, function))

    def _incoming(self, it):
        stanza = Stanza(it.xml)
        if stanza.name == "presence":
            self._note_presence(stanza)
        self.inbox.add(stanza)
        return None if self._handled(stanza) else it

    def _note_presence(self, stanza):
        resources = self.present.setdefault(bare(stanza.sender), {})
        if stanza.type == "available":
            resources[stanza.sender] = stanza
        elif stanza.type == "unavailable" and stanza.sender == bare(stanza.sender):
            resources.clear()
        elif stanza.type == "unavailable":
            resources.pop(stanza.sender, None)

    def _handled(self, stanza):
        if stanza.type in ("result", "error"):
            return False
        if stanza.name == "iq" and not len(stanza.xml):
            return True  # the ProtoXEP's result of type set (S26): an answer, so it gets none
        for name, tag, namespaces, function in self._rows:
            child = stanza.child(tag, namespaces) if name == stanza.name else None
            if child is not None:
                function(stanza, child)
                return True
        return False

    # what goes out
    def new_id(self):
        return f"{self.name}-{next(self._ids)}"

    def send(self, name, *payload, **attributes):
        """One stanza; `sender` stands for the attribute from. The id it got."""
        attributes.setdefault("id", self.new_id())
        if "sender" in attributes:
            attributes["from"] = attributes.pop("sender")
        xml = element(self.stream.default_ns, name, None, *payload, **attributes)
        self.send_raw(tostring(xml, xmlns=self.stream.default_ns))
        return attributes["id"]

    def send_raw(self, text):
        self.stream.send_raw(text)

    def send_presence(self, to=None, kind=None, *payload, sender=None):
        return self.send("presence", *payload, to=to, type=kind, sender=sender)

    def reply(self, stanza, *payload, kind="result"):
        self.send("iq", *payload, type=kind, id=stanza.id, to=stanza.sender, sender=stanza.to or None)

    async def ask(self, kind, to, *payload, sender=None, timeout=TIMEOUT):
        """iq get or set; the result or error that came back, or the empty set that stands for a result in siot (S26)."""
        stanza_id = self.send("iq", *payload, type=kind, to=to, sender=sender)
        answerers = (to, ) if to else ("", self.bare_jid, self.jid, self.stream.boundjid.host)
        what = ", ".join(f"{local_name(p)} ({namespace(p)})" for p in payload)
        return await self.inbox.expect(
            lambda s: s.name == "iq" and s.id == stanza_id and s.sender in answerers
            and (s.type in ("result", "error") or not len(s.xml)),
            f"the answer of {to or 'the server'} to {what}", timeout)

    async def ping(self, to):
        """A fence: what `to` sent us before it got this has come when the answer has. Any answer will do."""
        return await self.ask("get", to, element(PING, "ping"))

    # what is waited for
    async def expect_presence(self, sender, kind="available", where=None, timeout=TIMEOUT):
        return await self.inbox.expect(
            lambda s: s.name == "presence" and s.type == kind and bare(s.sender) == bare(sender) and (not where or where(s)),
            f"presence {kind} of {sender}", timeout)

    async def expect_message(self, sender, tag, namespaces=None, where=None, timeout=TIMEOUT):
        return await self.inbox.expect(
            lambda s: s.name == "message" and s.type != "error" and bare(s.sender) == bare(sender)
            and s.child(tag, namespaces) is not None and (not where or where(s)),
            f"a message with {tag} of {sender}", timeout)

    def address_of(self, thing):
        """The full JID a thing is present with, as clients use it; the bare one while it is not seen."""
        return next(reversed(self.present.get(bare(thing), {})), thing)
