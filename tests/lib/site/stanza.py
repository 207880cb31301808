"""Stanzas as they came over the wire, without anybody's interpretation of them."""
import copy
import xml.etree.ElementTree as ET

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SIOT = "urn:xmpp:siot:1"
EXTENSION = "urn:jidgate:siot:0"  # the project's own additions to siot
SENSORDATA = "urn:xmpp:iot:sensordata"
CONTROL = "urn:xmpp:iot:control"
DATA_FORM = "jabber:x:data"
ROSTER = "jabber:iq:roster"
PING = "urn:xmpp:ping"
STREAMS = ("jabber:client", "jabber:component:accept")  # what a child without xmlns is in


def bare(jid):
    return jid.split("/", 1)[0]


def local_name(element):
    return element.tag.rsplit("}", 1)[-1]


def namespace(element):
    return element.tag[1:].split("}", 1)[0] if element.tag.startswith("{") else ""


def element(ns, tag, text=None, /, *children, **attributes):
    """A new element; attributes that are None are left out."""
    it = ET.Element(f"{{{ns}}}{tag}", {name: str(value) for name, value in attributes.items() if value is not None})
    it.text = text
    it.extend(children)
    return it


class Stanza:
    def __init__(self, xml):
        self.xml = copy.deepcopy(xml)
        self.name = local_name(xml)  # iq, message, presence
        self.type = xml.get("type") or {"message": "normal", "presence": "available"}.get(self.name, "")
        self.id = xml.get("id", "")
        self.sender = xml.get("from", "")
        self.to = xml.get("to", "")

    def children(self, tag=None):
        return [child for child in self.xml if tag in (None, local_name(child))]

    def child(self, tag, ns=None):
        """The first child of that name; ns: a namespace or several, None takes any."""
        allowed = (ns,) if isinstance(ns, str) else ns
        for child in self.children(tag):
            if allowed is None or namespace(child) in allowed:
                return child
        return None

    def text_of(self, tag):
        child = self.child(tag)
        return None if child is None else (child.text or "")

    def _of_error(self, wanted):
        error = self.child("error")
        if error is None:
            return None
        return next((c for c in error if namespace(c) == STANZAS and (local_name(c) == "text") == wanted), None)

    @property
    def condition(self):
        """(type, condition) of an error, e.g. ("auth", "forbidden"); None when it is none."""
        condition = self._of_error(False)
        return None if condition is None else (self.child("error").get("type"), local_name(condition))

    @property
    def error_text(self):
        text = self._of_error(True)
        return "" if text is None else (text.text or "")

    def shape(self):
        """All an asker can see of an answer but its own id, seqnr and addresses: for 'these two look the same'."""
        def of(it):
            attributes = {k: v for k, v in it.attrib.items() if k not in ("id", "seqnr", "from", "to", "jid", "by")}
            return local_name(it), namespace(it), tuple(sorted(attributes.items())), (it.text or "").strip(), \
                tuple(of(child) for child in it)
        return self.type, tuple(of(child) for child in self.xml)

    def __str__(self):
        return ET.tostring(self.xml, encoding="unicode")
