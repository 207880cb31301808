"""The servers, devices and people the other site tests stand on: a foreign thing, a foreign service, and the story of siot
between them. No gateway: when this fails, the others say nothing."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from lib.site.actors import Actor
from lib.site.ejabberd import Ejabberd
from lib.site.prosody import Prosody
from lib.site.readings import Refused
from lib.site.waiting import Failed
from peers.foreign_thing import ForeignThing
from peers.protoxep_service import SLIPS, ProtoxepService

SERVICE, THINGS = "provisioning.localhost", "things.localhost"
SECRETS = {SERVICE: "one", THINGS: "two"}
ACCOUNTS = {"owner": "o", "anna": "a", "stranger": "s", "thing": "t"}
KEY = "TWNK-KD5Y-MT3T-E1GS-DRDB-KVTW"


class OnServer:
    """The tests, for each server."""
    server_class = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.server = cls.server_class(Path(cls.folder.name), SECRETS)
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()
        cls.server.add_accounts(ACCOUNTS)

    def person(self, name, ca_file=None, cls=Actor, **more):
        return cls.client(f"{name}@localhost", ACCOUNTS[name], self.server.ports["c2s"], ca_file, **more)

    def component(self, cls, domain, **more):
        return cls.component(domain, SECRETS[domain], self.server.ports["component"], **more)

    async def enter(self, *peers):
        for peer in peers:
            await self.enterAsyncContext(peer)

    async def play(self, thing, service):
        owner, anna, stranger = (self.person(name) for name in ("owner", "anna", "stranger"))
        await self.enter(service, thing, owner, anna, stranger)
        jid = thing.me.split("/")[0]
        await thing.register()
        self.assertEqual(await owner.claim(SERVICE, KEY), [jid])
        await thing.inbox.expect(lambda s: s.child("owner") is not None, "the owner")
        with self.assertRaises(Refused):
            await stranger.claim(SERVICE, KEY)
        self.assertEqual(thing.owner, "owner@localhost")

        anna.subscribe(jid)
        await owner.expect_nudge(SERVICE)
        self.assertEqual([who.lower() for who, _ in await owner.pending(SERVICE)], ["anna@localhost"])
        self.assertFalse(anna.inbox.seen(lambda s: s.type in ("subscribed", "unsubscribed")))
        await owner.decide(SERVICE, friends=["anna@localhost"])
        await anna.expect_presence(jid, "subscribed")
        await anna.expect_presence(jid)

        readout = await anna.read(jid)
        self.assertEqual((readout["Temperature"], readout.values["Temperature"].unit), ("23.4", "°C"))
        words, values, _ = await anna.read_by_plugin(jid)
        self.assertEqual((words, values["Temperature"]["value"]), (["accepted", "fields", "done"], "23.4"))
        await anna.set(jid, ("boolean", "Output", "true"))
        self.assertTrue(thing.output)
        self.assertEqual(await anna.set_by_plugin(jid, ("boolean", "Output", "false")), ("OK", None))
        self.assertFalse(thing.output)
        stranger.present[jid] = anna.present[jid]  # it has heard the full JID from somebody
        self.assertEqual((await stranger.refused_read(jid)).condition, ("auth", "forbidden"))

        await owner.decide(SERVICE, strangers=["anna@localhost"])
        await anna.expect_presence(jid, "unsubscribed")
        await anna.refused_read(jid)

    async def test_a_component_thing_and_a_well_behaved_service_play_the_story(self):
        await self.play(self.component(ForeignThing, THINGS, service=SERVICE, key=KEY, local="thing"),
                        self.component(ProtoxepService, SERVICE, slips=frozenset()))

    async def test_an_account_thing_and_the_service_of_the_examples_play_the_story(self):
        await self.play(self.person("thing", cls=ForeignThing, service=SERVICE, key=KEY, states_name="attribute"),
                        self.component(ProtoxepService, SERVICE, slips=frozenset({"S12", "S16", "S26", "S30"})))

    async def test_a_thing_registers_though_the_service_never_subscribes_and_answers_to_another_resource(self):
        thing = self.component(ForeignThing, THINGS, service=SERVICE, key=KEY, local="thing")
        service = self.component(ProtoxepService, SERVICE, slips=frozenset({"S15", "S33"}))
        await self.enter(service, thing)
        answer = await thing.register()
        self.assertNotEqual(answer.to, thing.me)
        self.assertEqual(service.names["thing@" + THINGS][1], "Futuretec Light Bulb 10X")
        self.assertFalse(thing.inbox.seen(lambda s: s.type == "subscribe"))

    async def test_a_client_checks_the_certificate(self):
        await self.enter(self.person("owner", ca_file=self.server.ca_file))
        with tempfile.TemporaryDirectory() as folder:
            from lib.site.certificates import Authority
            wrong = Authority(Path(folder)).certificate
            with self.assertRaises(Failed):
                await self.person("anna", ca_file=wrong).connect()

    async def test_a_wrong_password_is_said_at_once(self):
        with self.assertRaisesRegex(Failed, "failed_auth"):
            await Actor.client("owner@localhost", "wrong", self.server.ports["c2s"]).connect()


class OnProsody(OnServer, unittest.IsolatedAsyncioTestCase):
    server_class = Prosody


class OnEjabberd(OnServer, unittest.IsolatedAsyncioTestCase):
    server_class = Ejabberd


if __name__ == "__main__":
    unittest.main()
