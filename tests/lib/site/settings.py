"""Setting things by XEP-0325: iq or message, elements or form, by hand or by slixmpp's own plugin."""
import asyncio

from .inbox import TIMEOUT
from .readings import Refused
from .stanza import CONTROL, DATA_FORM, element
from .waiting import Failed


def as_elements(settings):
    """settings: (type, name, value) ..., the type as XEP-0325 names it: boolean, int, long, double, string, ..."""
    return [element(CONTROL, kind, None, name=name, value=value) for kind, name, value in settings]


def as_form(settings):
    fields = [element(DATA_FORM, "field", None, element(DATA_FORM, "value", str(value)), var=name)
              for _, name, value in settings]
    return [element(DATA_FORM, "x", None, *fields, type="submit")]


class Sets:
    """What a Peer can set."""

    def setting(self, *settings, node=None, form=False):
        nodes = [element(CONTROL, "node", None, nodeId=node)] if node else []
        return element(CONTROL, "set", None, *nodes, *(as_form if form else as_elements)(settings))

    async def set(self, thing, *settings, node=None, form=False, timeout=TIMEOUT):
        """The result. Refused when the answer is an error."""
        answer = await self.ask("set", self.address_of(thing), self.setting(*settings, node=node, form=form), timeout=timeout)
        if answer.type == "error":
            raise Refused(answer)
        return answer

    async def refused_set(self, thing, *settings, **request):
        try:
            answer = await self.set(thing, *settings, **request)
        except Refused as e:
            return e.stanza
        raise Failed(f"{self.name} was to be refused and set {settings} at {thing}: {answer}")

    def set_by_message(self, thing, *settings, node=None):
        """Nothing ever answers this one: look at the device."""
        self.send("message", self.setting(*settings, node=node), to=self.address_of(thing))

    async def set_by_plugin(self, thing, *settings, timeout=TIMEOUT):
        """slixmpp's xep_0325: the result word and the text of its callback."""
        end = asyncio.get_running_loop().create_future()

        def heard(result, error_msg=None, **_):
            if not end.done():
                end.set_result((result, error_msg))

        fields = [(name, kind, str(value)) for kind, name, value in settings]
        self.stream["xep_0325"].set_request(self.jid, self.address_of(thing), heard, fields)
        try:
            return await asyncio.wait_for(end, timeout)
        except TimeoutError:
            raise Failed(f"slixmpp's xep_0325 heard nothing from {thing}") from None

    def set_by_plugin_message(self, thing, *settings):
        fields = [(name, kind, str(value)) for kind, name, value in settings]
        self.stream["xep_0325"].set_command(self.jid, self.address_of(thing), fields)
