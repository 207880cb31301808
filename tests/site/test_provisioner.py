"""The provisioning service on real servers, with things that are not ours: jidgate is nothing but the service here."""
import os
import secrets
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from lib.site.actors import Actor
from lib.site.ejabberd import Ejabberd
from lib.site.jidgate import Jidgate
from lib.site.prosody import Prosody
from lib.site.readings import Refused
from lib.site.stanza import EXTENSION, PING, SIOT, element
from peers.foreign_thing import ForeignThing

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
SERVICE, THINGS = "provisioning.localhost", "things.localhost"
SECRETS = {domain: secrets.token_hex(16) for domain in (SERVICE, THINGS)}
ACCOUNTS = {name: secrets.token_urlsafe(9) for name in ("owner", "anna", "stranger", "thing")}
KEY = "TWNK-KD5Y-MT3T-E2GS-DRDB-KVTW"
NAME = "Futuretec Light Bulb 10X"


class OnServer:
    server_class = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = self.server_class(Path(folder.name), SECRETS)
        self.addCleanup(self.server.stop)
        self.server.start()
        self.server.add_accounts(ACCOUNTS)
        self.jidgate = Jidgate(Path(folder.name), BUILD / "jidgate", self.settings)
        self.addCleanup(self.jidgate.stop)
        self.jidgate.start()

    def settings(self):
        return {"provisioner": {"domain": SERVICE, "host": "127.0.0.1", "port": self.server.ports["component"],
                                "secret": SECRETS[SERVICE]}}

    def person(self, name, cls=Actor, **more):
        return cls.client(f"{name}@localhost", ACCOUNTS[name], self.server.ports["c2s"], **more)

    def account_thing(self):
        return self.person("thing", cls=ForeignThing, service=SERVICE, key=KEY, states_name="attribute")

    def component_thing(self):
        return ForeignThing.component(THINGS, SECRETS[THINGS], self.server.ports["component"], service=SERVICE, key=KEY,
                                      local="thing")

    async def say(self, person, words):
        """What the service's contact answers in chat."""
        person.send("message", element("jabber:client", "body", words), to=SERVICE, type="chat")
        return (await person.expect_message(SERVICE, "body", where=lambda s: s.child("pending-friend-notification") is None)
                ).text_of("body")

    async def appears(self, thing):
        """As it does after it registered: the service is let in and sees it."""
        await thing.expect_presence(SERVICE, "subscribe")
        thing.send_presence(to=SERVICE, sender=thing.me)
        await thing.ask("get", SERVICE, element(PING, "ping"), sender=thing.me)

    async def story(self, thing):
        owner, anna, stranger = (self.person(name) for name in ("owner", "anna", "stranger"))
        for it in (thing, owner, anna, stranger):
            await self.enterAsyncContext(it)
        jid = thing.me.split("/")[0]
        await thing.register()
        await self.appears(thing)
        with self.assertRaises(Refused) as unknown:
            await stranger.claim(SERVICE, "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF")
        self.assertEqual(await owner.claim(SERVICE, KEY, NAME.upper()), [jid])
        with self.assertRaises(Refused) as used:
            await stranger.claim(SERVICE, KEY)
        self.assertEqual(used.exception.stanza.shape(), unknown.exception.stanza.shape())
        await thing.inbox.expect(lambda s: s.child("owner") is not None, "the owner")
        self.assertEqual(thing.owner, owner.bare_jid)

        anna.subscribe(jid)
        nudge = await owner.expect_nudge(SERVICE)
        self.assertEqual(nudge.text_of("body"), f'{anna.bare_jid} wants to see "{NAME}" ({jid}). Answer yes or no.')
        self.assertEqual(await owner.pending(SERVICE), [(anna.bare_jid, jid)])
        self.assertEqual(await self.say(owner, "yes"), f'{anna.bare_jid} may see "{NAME}" ({jid}) now.')
        await anna.expect_presence(jid, "subscribed")
        self.assertEqual(await owner.friends_of(SERVICE, jid), [anna.bare_jid])
        self.assertEqual(await owner.things(SERVICE), {jid: NAME})

        self.jidgate.kill()
        self.jidgate.start()
        if thing.stream.is_component:  # for an account its server answers
            await self.appears(thing)
        await thing.expect_message(SERVICE, "owner")
        states = await thing.expect_message(SERVICE, "friendship-states", where=lambda s: "yes" in str(s))
        self.assertIn(anna.bare_jid, str(states))
        self.assertEqual(await self.say(owner, f"no {anna.bare_jid}"), f'{anna.bare_jid} may not see "{NAME}" ({jid}).')
        await anna.expect_presence(jid, "unsubscribed")

        await owner.give_up(SERVICE, jid)
        await thing.expect_message(SERVICE, "disowned", EXTENSION)
        self.assertEqual(await owner.things(SERVICE), {})
        thing.key = "NEWK-EYOF-TH3T-H1NG-AFT3-R1TS"
        await thing.register()
        self.assertEqual(await self.say(stranger, f"claim {thing.key}"), f'You now own "{NAME}" ({jid}).')

    async def test_a_foreign_component_plays_the_story(self):
        await self.story(self.component_thing())

    async def test_a_foreign_account_plays_the_story(self):
        await self.story(self.account_thing())

    async def test_it_is_found_by_discovery_and_can_be_a_contact(self):
        owner = await self.enterAsyncContext(self.person("owner"))
        info = await owner.ask("get", SERVICE, element("http://jabber.org/protocol/disco#info", "query"))
        found = {feature.get("var") for feature in info.child("query") if feature.tag.endswith("feature")}
        self.assertLessEqual({SIOT, EXTENSION, "urn:xmpp:ping"}, found)
        await owner.befriend(SERVICE)
        again = await self.enterAsyncContext(self.person("owner"))
        await again.expect_presence(SERVICE)


class OnProsody(OnServer, unittest.IsolatedAsyncioTestCase):
    server_class = Prosody


class OnEjabberd(OnServer, unittest.IsolatedAsyncioTestCase):
    server_class = Ejabberd


if __name__ == "__main__":
    unittest.main()
