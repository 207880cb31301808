#!/usr/bin/python3
"""The component that one writes with slixmpp: answers each read as jidgate does.

    slix.py PORT DOMAIN SECRET
"""
import asyncio
import sys
from xml.etree import ElementTree as ET

from slixmpp import ComponentXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

NS = "urn:xmpp:iot:sensordata"


class Echo(ComponentXMPP):
    def __init__(self, port, domain, secret):
        super().__init__(domain, secret, "127.0.0.1", port)
        match = MatchXPath(f"{{jabber:component:accept}}iq/{{{NS}}}req")
        self.register_handler(Callback("read", match, self.answer))
        self.add_event_handler("session_start", lambda _: print("ready", flush=True))
        self.add_event_handler("disconnected", lambda _: sys.exit(0))

    def answer(self, iq):
        seqnr = iq.xml.find(f"{{{NS}}}req").get("seqnr")
        reply = iq.reply()
        reply.append(ET.Element(f"{{{NS}}}accepted", seqnr=seqnr))
        reply.send()
        message = self.make_message(mto=iq["from"], mfrom=f"{iq['to'].bare}/gate", mtype="headline")
        fields = ET.Element(f"{{{NS}}}fields", seqnr=seqnr, done="true")
        node = ET.SubElement(fields, f"{{{NS}}}node", nodeId=iq["to"].local)
        stamp = ET.SubElement(node, f"{{{NS}}}timestamp", value="2026-01-01T00:00:00.000Z")
        ET.SubElement(stamp, f"{{{NS}}}numeric", name="v", momentary="true", automaticReadout="true", value="21.5", unit="°C")
        message.append(fields)
        message.send()


if __name__ == "__main__":
    echo = Echo(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    echo.connect()
    asyncio.get_event_loop().run_forever()
