"""Reading things by XEP-0323: by hand, and by slixmpp's own plugin."""
import asyncio
from dataclasses import dataclass, field

from .inbox import TIMEOUT
from .stanza import SENSORDATA, bare, element, local_name
from .waiting import Failed

CATEGORIES = ("momentary", "peak", "status", "computed", "identity", "historical")


class Refused(Failed):
    """The thing said no; .stanza is how."""

    def __init__(self, stanza):
        super().__init__(f"{stanza.sender} refused: {stanza.condition} {stanza.error_text}")
        self.stanza = stanza


@dataclass
class Value:
    name: str
    kind: str  # numeric, boolean, string, ...
    value: str
    unit: str
    attributes: dict
    node: str
    timestamp: str


@dataclass
class Readout:
    accepted: object
    values: dict = field(default_factory=dict)  # field name -> Value
    failures: list = field(default_factory=list)  # texts
    messages: list = field(default_factory=list)
    done: bool = False

    def __getitem__(self, name):
        return self.values[name].value

    def take(self, stanza):
        self.messages.append(stanza)
        for child in stanza.children():
            if local_name(child) == "fields":
                self._take_fields(child)
            if local_name(child) == "failure":
                self.failures += [error.text or "" for error in child]
            self.done |= local_name(child) == "done" or child.get("done") in ("true", "1")

    def _take_fields(self, fields):
        for node in fields:
            for timestamp in node:
                for it in timestamp:
                    self.values[it.get("name")] = Value(
                        it.get("name"), local_name(it), it.get("value"), it.get("unit", ""), dict(it.attrib),
                        node.get("nodeId", ""), timestamp.get("value", ""))


class Reads:
    """What a Peer can read."""
    _seqnr = 1000  # far from the plugin's, which begin at 1

    def request(self, seqnr, fields=(), node=None, **flags):
        children = [element(SENSORDATA, "node", None, nodeId=node)] if node else []
        children += [element(SENSORDATA, "field", None, name=name) for name in fields]
        return element(SENSORDATA, "req", None, *children, seqnr=seqnr, **(flags or {"momentary": "true"}))

    async def read(self, thing, fields=(), node=None, timeout=TIMEOUT, **flags):
        """A Readout, complete. Refused when the answer is an error."""
        self._seqnr += 1
        seqnr = str(self._seqnr)
        answer = await self.ask("get", self.address_of(thing), self.request(seqnr, fields, node, **flags), timeout=timeout)
        if answer.type == "error":
            raise Refused(answer)
        readout = Readout(accepted=answer)
        while not readout.done:
            readout.take(await self._next_part(thing, seqnr, timeout))
        return readout

    async def _next_part(self, thing, seqnr, timeout):
        def is_part(stanza):
            return stanza.name == "message" and bare(stanza.sender) == bare(thing) and any(
                child.get("seqnr") == seqnr and local_name(child) != "started" for child in stanza.children())
        return await self.inbox.expect(is_part, f"the values of {thing} (seqnr {seqnr})", timeout)

    async def refused_read(self, thing, **request):
        """The error stanza; a readout is a failure."""
        try:
            readout = await self.read(thing, **request)
        except Refused as e:
            return e.stanza
        raise Failed(f"{self.name} was to be refused and read {readout.values} from {thing}")

    async def read_by_plugin(self, thing, fields=None, timeout=TIMEOUT):
        """slixmpp's xep_0323: the words of its callback, in order, and the fields it understood."""
        end, words, values = asyncio.get_running_loop().create_future(), [], {}

        def heard(result, fields=(), error_msg=None, **_):
            words.append(result)
            values.update({it["name"]: it for it in fields})
            if result in ("done", "rejected", "failure") and not end.done():
                end.set_result(error_msg)

        self.stream["xep_0323"].request_data(self.jid, self.address_of(thing), heard, fields=fields, flags={"momentary": "true"})
        try:
            error = await asyncio.wait_for(end, timeout)
        except TimeoutError:
            raise Failed(f"slixmpp's xep_0323 heard only {words} from {thing}") from None
        return words, values, error
