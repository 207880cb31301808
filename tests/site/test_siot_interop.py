"""Our things and a provisioning service that says the ProtoXEP's examples word for word, and the clients of the field at our
things: slixmpp's plugins, Smack's and strophe's shapes, forms and messages."""
import asyncio
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from lib.site.actors import Actor
from lib.site.ejabberd import Ejabberd
from lib.site.prosody import Prosody
from lib.site.readings import Refused
from lib.site.sim_site import SERVICE, SimSite
from lib.site.stanza import CONTROL, DATA_FORM, EXTENSION, SENSORDATA, SIOT, element, local_name
from lib.site.waiting import Failed
from peers.foreign_thing import ForeignThing
from peers.protoxep_service import EXAMPLES, SLIPS, ProtoxepService

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
NAMES = {"hall.temp": "Hall Temperature", "hall.lamp": "Hall Lamp", "boiler": "Boiler"}


async def until(look, what, timeout=10.0):
    """eventually() for what happens in this loop."""
    end = asyncio.get_running_loop().time() + timeout
    while not (seen := look()):
        if asyncio.get_running_loop().time() > end:
            raise Failed(f"waited {timeout:g} s for {what}")
        await asyncio.sleep(0.01)
    return seen


class Protoxep(unittest.IsolatedAsyncioTestCase):
    """Our things, its service."""

    async def begin(self, slips, server=Prosody):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.site = SimSite(Path(folder.name), BUILD, server, provisioner=False)
        self.addCleanup(self.site.stop)
        self.site.start_server()
        self.service = await self.enterAsyncContext(self.site.service(ProtoxepService, slips=frozenset(slips)))
        await asyncio.to_thread(self.site.jidgate.start)
        self.owner, self.anna = [await self.enterAsyncContext(self.site.peer(Actor, name)) for name in ("owner", "anna")]

    async def all_registered(self):
        await until(lambda: len(self.service.things) == len(NAMES), "all things to register")
        return await asyncio.to_thread(self.site.jidgate.labels)

    async def story(self, slips, server=Prosody):
        await self.begin(slips, server)
        labels = await self.all_registered()
        self.assertEqual({label.key: jid for jid, label in labels.items()}, self.service.keys)
        self.assertEqual(self.service.names[self.site.jid("boiler")], ["Boiler", "Boiler", "Boiler", "Kessel"], "S1")
        if "S15" not in slips:
            await self.service.expect_presence(self.site.jid("boiler"), "subscribed")

        jid = self.site.jid("hall.lamp")
        self.assertEqual(await self.owner.claim(SERVICE, labels[jid].key, NAMES["hall.lamp"]), [jid])
        wanted = {it: "" if it == jid else label.key for it, label in labels.items()}
        await until(lambda: {it: label.key for it, label in self.site.jidgate.labels().items()} == wanted, "one key to go (S11)")
        await self.owner.befriend(jid)

        self.anna.subscribe(jid)
        await self.owner.expect_nudge(SERVICE)
        self.assertEqual([who.lower() for who, _ in await self.owner.pending(SERVICE)], [self.anna.bare_jid])
        await self.anna.ping(SERVICE)
        self.assertFalse(self.anna.inbox.seen(lambda s: s.type in ("subscribed", "unsubscribed")), "pending is silence")
        self.assertEqual((await self.anna.refused_read(jid)).condition, ("auth", "forbidden"))
        await self.owner.decide(SERVICE, friends=[self.anna.bare_jid])
        await self.anna.expect_presence(jid, "subscribed")
        await self.anna.expect_presence(jid)
        await self.anna.set(jid, ("boolean", "lamp", "true"))
        self.assertEqual((await self.anna.read(jid))["lamp"], "true")

        await self.owner.decide(SERVICE, strangers=[self.anna.bare_jid, self.owner.bare_jid])  # himself, too: S24
        await self.anna.expect_presence(jid, "unavailable")
        await self.anna.expect_presence(jid, "unsubscribed")
        self.assertEqual((await self.anna.refused_set(jid, ("boolean", "lamp", "false"))).condition,
                         ("cancel", "service-unavailable"))
        self.assertEqual((await self.owner.read(jid))["lamp"], "true")

    async def test_an_owner_moves_in_and_a_friend_after_the_answer(self):
        """S21, S23: a friend who was there before, and one whom nobody asked about."""
        await self.begin(EXAMPLES)
        labels = await self.all_registered()
        jid = self.site.jid("hall.temp")
        self.owner.subscribe(jid)
        await until(lambda: (jid, self.owner.bare_jid) in self.service.friends, "the thing to ask for the owner-to-be")
        await self.owner.claim(SERVICE, labels[jid].key)
        await self.owner.expect_presence(jid, "subscribed")
        await self.owner.decide(SERVICE, friends=[self.anna.bare_jid])
        self.service.friends[jid, self.anna.bare_jid] = "pending"  # the thing is to know it without a question
        await self.owner.ping(SERVICE)
        await self.anna.befriend(jid)
        self.anna.unsubscribe(jid)
        await self.anna.expect_presence(jid, "unavailable")
        self.service.friends[jid, self.anna.bare_jid] = "yes"
        await self.anna.befriend(jid)

    async def test_the_examples_to_the_letter(self):
        """Stanzas of the text with only the addresses changed: examples 3, 7, 10 to 12, 18."""
        await self.begin(EXAMPLES)
        await self.all_registered()
        jid, me = self.site.jid("hall.temp"), f"from='{SERVICE}'"
        self.service.send_raw(f"<presence {me} to='{jid}' id='subscription-request-1' type='subscribe'/>")
        await self.service.expect_presence(jid, "subscribed")
        self.service.send_raw(f"""<message {me}
         to='{jid}/f65dece8'
         id='owner-update-1'>
  <owner xmlns='urn:xmpp:siot:1'
         jid='owner@localhost'/>
</message>""")
        await self.owner.befriend(jid)
        self.service.send_raw(f"""<message {me}
         to='{jid}'
         id='friendship-state-changed-1'>
  <friendship-states xmlns='urn:xmpp:siot:1'>
    <item jid='Anna@localhost' friend='yes'/>
    <item jid='julia@example.com' friend='no'/>
  </friendship-states>
</message>""")
        self.service.on("iq", "is-friend-query", None, lambda *_: self.fail("an approval in advance was forgotten"))
        await self.anna.befriend(jid)

    async def test_a_service_that_comes_late_finds_the_things_waiting(self):
        """S38: there when the gateway starts it is not; the gateway is ready and serves whom it knows."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        site = SimSite(Path(folder.name), BUILD, provisioner=False)
        self.addCleanup(site.stop)
        site.start_server()
        await asyncio.to_thread(site.jidgate.start)
        await asyncio.to_thread(site.jidgate.child.wait_for_line, f"provisioning service {SERVICE}: does not serve us")
        anna = await self.enterAsyncContext(site.peer(Actor, "anna"))
        anna.subscribe(site.jid("boiler"))
        await anna.ping(site.jid("boiler"))
        self.assertFalse(anna.inbox.seen(lambda s: s.type in ("subscribed", "unsubscribed")))
        await asyncio.to_thread(site.jidgate.stop)  # its next attempt is half a minute away
        service = await self.enterAsyncContext(site.service(ProtoxepService))
        service.friends[site.jid("boiler"), anna.bare_jid] = "yes"
        await asyncio.to_thread(site.jidgate.start)
        await anna.expect_presence(site.jid("boiler"), "subscribed")  # S29: asked again, without a word of hers


ROWS = [("without_slips", ()), ("of_the_examples", EXAMPLES), ("with_all_slips", SLIPS)]
ROWS += [(f"with_slip_{slip}", (slip, )) for slip in sorted(set(SLIPS) - EXAMPLES)]


def add(name, slips, server):
    async def test(self):
        await self.story(slips, server)
    setattr(Protoxep, f"test_a_service_{name}_on_{server.name}", test)


for row in ROWS:
    add(*row, Prosody)
add("with_all_slips", SLIPS, Ejabberd)


class OwnService(unittest.IsolatedAsyncioTestCase):
    """A thing that is not ours and ours at our service, of one owner."""

    async def test_serves_both_and_never_takes_one_for_the_other(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        site = SimSite(Path(folder.name), BUILD)
        self.addCleanup(site.stop)
        site.start_server()
        await asyncio.to_thread(site.jidgate.start)
        foreign = ForeignThing.client("bob@localhost", site.passwords["bob"], site.server.ports["c2s"], service=SERVICE,
                                      key="F0RE-1GNK-EYOF-ATH1-NGXX-XXXX")
        owner, anna = site.peer(Actor, "owner"), site.peer(Actor, "anna")
        for it in (foreign, owner, anna):
            await self.enterAsyncContext(it)
        await foreign.register()
        label = (await asyncio.to_thread(site.jidgate.labels))[site.jid("hall.lamp")]
        await owner.claim(SERVICE, label.key)
        self.assertEqual(await owner.claim(SERVICE, "f0re1gnkeyofath1ngxxxxxx"), ["bob@localhost"], "S4")
        anna.subscribe(label.jid)
        await owner.expect_nudge(SERVICE)
        await owner.decide(SERVICE, friends=[anna.bare_jid])  # of which thing? of the one she waits for (S25)
        await anna.expect_presence(label.jid, "subscribed")
        anna.subscribe("bob@localhost")
        await owner.expect_nudge(SERVICE)
        self.assertFalse(anna.inbox.seen(lambda s: s.sender == "bob@localhost" and s.type == "subscribed"))
        await owner.decide(SERVICE, friends=[anna.bare_jid], thing="bob@localhost")
        await anna.expect_presence("bob@localhost", "subscribed")
        await owner.decide(SERVICE, strangers=[anna.bare_jid])  # of all things where he is one
        await anna.expect_presence(label.jid, "unsubscribed")
        await anna.expect_presence("bob@localhost", "unsubscribed")


class Dialects(unittest.IsolatedAsyncioTestCase):
    """One site for all tests; each begins by setting what it will look at."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        slow = {"id": "slow", "protocol": "sim", "delay": "700ms"}
        well = {"id": "well", "bus": "slow", "name": "Well", "points": [
            {"id": "depth", "name": "Depth", "type": "real", "wave": "constant", "mean": 7, "poll": "1h", "stale": "1ms"}]}
        site = cls.site = SimSite(Path(cls.folder.name), BUILD, buses=({"id": "sim", "protocol": "sim"}, slow))
        site.devices.append(well)
        cls.addClassCleanup(site.stop)
        site.start_server()
        site.jidgate.start()
        asyncio.run(cls.make_friends())

    @classmethod
    async def make_friends(cls):
        site = cls.site
        async with site.peer(Actor, "owner") as owner, site.peer(Actor, "anna") as anna, site.peer(Actor, "bob") as bob:
            for label in site.jidgate.labels().values():
                await owner.claim(SERVICE, label.key)
                await owner.decide(SERVICE, friends=[anna.bare_jid], thing=label.jid)
                await anna.befriend(label.jid)
            bob.subscribe(site.jid("boiler"))
            await owner.expect_nudge(SERVICE)

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # slixmpp's plugins leave errors unread
        self.anna = await self.enterAsyncContext(self.site.peer(Actor, "anna"))
        self.boiler = self.site.jid("boiler")
        await until(lambda: len(self.anna.present) >= 4, "the things to be seen")  # her server probes them
        await self.anna.set(self.boiler, ("int", "level", "5"), ("boolean", "pump", "false"), ("string", "mode", "off"))

    async def level(self):
        return (await self.anna.read(self.boiler))["level"]

    async def comes(self, **wanted):
        """What was commanded by a message is seen when the field was looked at the next time."""
        async with asyncio.timeout(5):
            while not wanted.items() <= {name: it.value for name, it in (await self.anna.read(self.boiler)).values.items()}.items():
                pass

    async def test_slixmpp_reads_by_its_plugin(self):
        words, values, error = await self.anna.read_by_plugin(self.boiler)
        words = list(dict.fromkeys(words))  # it says "fields" for each timestamp
        self.assertEqual((words, error), (["accepted", "fields", "done"], None))
        seen = {name: (it["value"], it.get("unit")) for name, it in values.items()}
        self.assertEqual(seen["temp"], ("48.7", "°C"))
        self.assertEqual((seen["level"][0], seen["mode"][0], seen["pump"][0]), ("5", "off", "false"))
        self.assertNotIn("alarm", seen, "it is a status and was not asked for")

    async def test_slixmpp_reads_one_field_by_id_or_by_label(self):
        for name in ("level", "Set level"):
            words, values, _ = await self.anna.read_by_plugin(self.boiler, fields=[name])
            self.assertEqual((words, list(values)), (["accepted", "fields", "done"], ["level"]))

    async def test_slixmpp_hears_that_it_is_rejected(self):
        bob = await self.enterAsyncContext(self.site.peer(Actor, "bob"))
        words, _, error = await bob.read_by_plugin(self.boiler)
        self.assertEqual((words, error), (["rejected"], "Access denied."))

    async def test_slixmpp_sets_by_its_plugin_and_hears_why_not(self):
        self.assertEqual(await self.anna.set_by_plugin(self.boiler, ("int", "level", 7)), ("OK", None))
        self.assertEqual(await self.level(), "7")
        result, _ = await self.anna.set_by_plugin(self.boiler, ("int", "level", 11))
        self.assertEqual(result, "FormError")
        result, _ = await self.anna.set_by_plugin(self.boiler, ("int", "depth", 1))
        self.assertEqual(result, "NotFound")
        bob = await self.enterAsyncContext(self.site.peer(Actor, "bob"))
        self.assertEqual((await bob.set_by_plugin(self.boiler, ("int", "level", 1)))[0], "InsufficientPrivileges")
        self.assertEqual(await self.level(), "7")

    async def test_slixmpp_commands_by_message(self):
        self.anna.set_by_plugin_message(self.boiler, ("int", "level", 3), ("boolean", "pump", "true"))
        await self.comes(level="3", pump="true")
        self.anna.set_by_message(self.boiler, ("int", "level", 99))
        self.anna.set_by_message(self.boiler, ("boolean", "pump", "false"), node="boiler")
        await self.comes(level="3", pump="false")

    async def test_a_form_sets_what_is_in_it(self):
        answer = await self.anna.set(self.boiler, ("text-single", "level", "8"), ("boolean", "pump", "1"), form=True)
        self.assertEqual(answer.child("setResponse", CONTROL).get("responseCode"), "OK")
        readout = await self.anna.read(self.boiler)
        self.assertEqual((readout["level"], readout["pump"]), ("8", "true"))
        fields = [element(DATA_FORM, "field", None, element(DATA_FORM, "value", value), var=var, type=kind) for var, kind, value
                  in (("FORM_TYPE", "hidden", CONTROL), ("xdd session", "hidden", "42"), ("mode", "list-single", "eco"))]
        form = element(CONTROL, "set", None, element(DATA_FORM, "x", None, *fields, type="submit"))
        form.set(LANG, "en")
        self.assertEqual((await self.anna.ask("set", self.boiler, form)).type, "result")
        self.assertEqual((await self.anna.read(self.boiler))["mode"], "eco")
        refused = await self.anna.refused_set(self.boiler, ("x", "level", "8"), ("x", "mode", "turbo"), form=True)
        self.assertEqual(refused.condition, ("modify", "bad-request"))
        self.assertEqual(refused.child("error").find(f"{{{CONTROL}}}paramError").get("var"), "mode")

    async def test_smack_reads_from_the_full_jid_within_its_patience(self):
        """It asks for momentary values and nothing else, takes the first message, node and timestamp, and knows int and boolean."""
        lamp = self.site.jid("hall.lamp")
        full = self.anna.address_of(lamp)
        self.assertNotEqual(full, lamp, "Smack cannot address a thing without a full JID")
        answer = await self.anna.ask("get", full, element(SENSORDATA, "req", None, seqnr="3", momentary="true"), timeout=5)
        self.assertEqual((answer.type, answer.sender), ("result", full))
        self.assertEqual(answer.child("accepted", SENSORDATA).get("seqnr"), "3")
        message = await self.anna.expect_message(lamp, "fields", SENSORDATA, timeout=5)
        fields = message.child("fields", SENSORDATA)
        self.assertEqual((fields.get("seqnr"), fields.get("done")), ("3", "true"))
        self.assertRegex(fields[0][0].get("value"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual([(it.get("name"), local_name(it)) for it in fields[0][0]], [("lamp", "boolean")])
        self.assertEqual([len(fields), len(fields[0])], [1, 1])

    async def test_smack_sets_with_bool(self):
        payload = element(CONTROL, "set", None, element(CONTROL, "bool", None, name="pump", value="true"),
                          element(CONTROL, "int", None, name="level", value="6"))
        answer = await self.anna.ask("set", self.anna.address_of(self.boiler), payload, timeout=5)
        self.assertIsNotNone(answer.child("setResponse", CONTROL))
        readout = await self.anna.read(self.boiler)
        self.assertEqual((readout["pump"], readout["level"]), ("true", "6"))

    async def test_strophe_reads_and_sets_with_its_node(self):
        """It asks for status and identity as well, names the node, reads responseCode, and finds its seqnr in a rejection."""
        request = element(SENSORDATA, "req", None, element(SENSORDATA, "node", None, nodeId="boiler"),
                          element(SENSORDATA, "field", None, name="alarm"), seqnr="1", status="true", identity="true",
                          momentary="true")
        await self.anna.ask("get", self.boiler, request)
        fields = (await self.anna.expect_message(self.boiler, "fields")).child("fields")
        self.assertEqual([it.get("name") for it in fields[0][0]], ["alarm"])
        self.assertEqual((fields[0].get("nodeId"), fields.get("done")), ("boiler", "true"))
        payload = element(CONTROL, "set", None, element(CONTROL, "node", None, nodeId="boiler"),
                          element(CONTROL, "boolean", None, name="alarm", value="true"))
        answer = await self.anna.ask("set", self.boiler, payload)
        self.assertEqual(answer.child("setResponse", CONTROL).get("responseCode"), "OK")
        bob = await self.enterAsyncContext(self.site.peer(Actor, "bob"))
        rejected = await bob.ask("get", self.boiler, request)
        self.assertEqual((rejected.type, rejected.child("rejected", SENSORDATA).get("seqnr")), ("error", "1"))
        self.assertEqual(rejected.condition, ("auth", "forbidden"))

    async def test_nodes_that_are_not_this_thing_are_not_found(self):
        refused = await self.anna.refused_read(self.boiler, node="hall.temp")
        self.assertEqual(refused.condition, ("cancel", "item-not-found"))
        self.assertEqual(refused.child("rejected", SENSORDATA)[0].text, "Unknown node.")
        refused = await self.anna.refused_set(self.boiler, ("int", "level", "1"), node="hall.temp")
        self.assertEqual(refused.condition, ("cancel", "item-not-found"))

    async def test_categories_choose_and_identification_is_understood(self):
        for flags, wanted in (({"status": "true"}, {"alarm"}), ({"all": "true"}, {"temp", "level", "mode", "pump", "alarm"}),
                              ({"identification": "true"}, set()), ({"historical": "true"}, set()),
                              ({"seqless": "x"}, {"temp", "level", "mode", "pump"}), ({"peak": "1"}, set())):
            readout = await self.anna.read(self.boiler, **flags)
            self.assertEqual((set(readout.values), readout.failures), (wanted, []), flags)

    async def test_a_cancel_by_get_and_by_set_is_the_end_of_a_read(self):
        well = self.site.jid("well.depth")
        for kind in ("get", "set"):
            self.anna.inbox.forget()
            _, answer = await asyncio.gather(  # in one breath: who waits in between races against the bus
                self.anna.ask("get", well, element(SENSORDATA, "req", None, seqnr="77", momentary="true")),
                self.anna.ask(kind, well, element(SENSORDATA, "cancel", None, seqnr="77")))
            self.assertEqual(answer.child("cancelled", SENSORDATA).get("seqnr"), "77")
        await self.anna.read(well)  # behind the cancelled ones on the same bus
        self.assertFalse(self.anna.inbox.seen(lambda s: any(it.get("seqnr") == "77" for it in s.children()) and s.name == "message"))

    async def test_two_resources_of_one_account_hear_each_its_own(self):
        """slixmpp counts from one in each run: the number of a read says nothing about whose it is."""
        other = await self.enterAsyncContext(self.site.peer(Actor, "anna"))
        request = element(SENSORDATA, "req", None, seqnr="1", momentary="true")
        for peer in (self.anna, other):
            peer.inbox.forget()
            await peer.ask("get", self.boiler, request)
        for peer in (self.anna, other):
            message = await peer.expect_message(self.boiler, "fields")
            self.assertEqual((message.to, message.type), (peer.jid, "headline"))
            await peer.ping(self.boiler)
            self.assertEqual(len(peer.inbox.seen(lambda s: s.child("fields") is not None and s.child("fields").get("seqnr") == "1")), 1)

    async def test_values_are_not_kept_for_somebody_who_left(self):
        """Days later they would be taken for new ones."""
        well = self.site.jid("well.depth")
        leaving = self.site.peer(Actor, "anna")
        await self.anna.leave()
        await leaving.come_online()
        await leaving.ask("get", well, element(SENSORDATA, "req", None, seqnr="5", momentary="true"))
        await leaving.leave()
        owner = await self.enterAsyncContext(self.site.peer(Actor, "owner"))
        await owner.read(well)  # behind hers on the same bus
        again = await self.enterAsyncContext(self.site.peer(Actor, "anna"))
        await again.read(well)
        self.assertFalse(again.inbox.seen(lambda s: any(it.get("seqnr") == "5" for it in s.children())))

    async def test_a_stranger_learns_nothing_whatever_dialect_he_speaks(self):
        stranger = await self.enterAsyncContext(self.site.peer(Actor, "stranger"))
        request = element(SENSORDATA, "req", None, seqnr="1", momentary="true")
        for kind, payload in (("get", request), ("set", stranger.setting(("boolean", "pump", "true"))),
                              ("get", element("urn:nf:iot:sd:1.0", "req", None, id="1", m="true")),
                              ("set", stranger.setting(("x", "pump", "true"), form=True)),
                              ("get", element("http://jabber.org/protocol/disco#info", "query")),
                              ("get", element(SIOT, "pending-friend-query")), ("set", element(EXTENSION, "give-up"))):
            there, full, nowhere = [await stranger.ask(kind, to, payload) for to in
                                    (self.boiler, self.boiler + "/thing", self.site.jid("none"))]
            self.assertEqual((there.type, there.shape()), ("error", nowhere.shape()))
            self.assertEqual(full.shape(), nowhere.shape())
        stranger.set_by_message(self.boiler, ("boolean", "pump", "true"))
        self.assertEqual((await self.anna.read(self.boiler))["pump"], "false")

    async def test_a_thing_may_be_read_by_the_owner_in_his_language(self):
        owner = await self.enterAsyncContext(self.site.peer(Actor, "owner"))
        query = element("http://jabber.org/protocol/disco#info", "query")
        query.set(LANG, "de")
        info = (await owner.ask("get", self.boiler, query)).child("query")
        self.assertEqual(info[0].get("name"), "Kessel")
        self.assertEqual((await owner.read(self.boiler))["level"], "5")


if __name__ == "__main__":
    unittest.main()
