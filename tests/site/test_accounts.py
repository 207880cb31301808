"""Accounts mode on real servers: logins that work and logins that do not, a hundred of them, and what strangers may try."""
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.actors import Actor
from lib.site.certificates import Authority
from lib.site.ejabberd import Ejabberd
from lib.site.process import must_run
from lib.site.prosody import Prosody
from lib.site.stanza import PING, ROSTER, SENSORDATA, element
from lib.site.wall import Wall
from lib.site.waiting import eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
PEOPLE = {name: secrets.token_urlsafe(9) for name in ("friend", "stranger")}
FRIEND = "friend@localhost"


class ForOtherNames(Prosody):
    """Its certificate is good, for another host."""

    def __init__(self, folder, components):
        super().__init__(folder, components)
        self.certificate, self.key = self.authority.sign(["other.example"], "other")


class OfNobody(Prosody):
    """Its certificate is not of the authority that it shows."""

    @property
    def ca_file(self):
        return Authority(self.folder / "stranger", "Another authority").certificate


class OnServer:
    server_class = Prosody

    def make(self, n, server_class=None, **more):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = (server_class or self.server_class)(Path(folder.name), {"unused.localhost": secrets.token_hex(16)})
        self.addCleanup(server.stop)
        self.wall = Wall(Path(folder.name), BUILD, server, n, **more)
        self.addCleanup(self.stop)
        return self.wall

    def up(self, n, **more):
        wall = self.make(n, **more)
        wall.server.start()
        wall.server.add_accounts({**PEOPLE, **wall.passwords})
        return wall

    def all_up(self, n, **more):
        wall = self.up(n, **more).start()
        wall.expect(f"{n} of {n} accounts are connected to 127.0.0.1")
        return wall

    def stop(self):
        """Each of these tests ends so: at once, and with nothing left over."""
        if self.wall.child and self.wall.child.status is None:
            self.assertEqual(self.wall.jidgate.stop(), 0, self.wall.child.tail())
            self.assertNotIn("did not close in time", self.wall.child.output())
        if self.wall.child:
            self.assertNotIn("Sanitizer", self.wall.child.output())

    def person(self, name):
        return Actor.client(f"{name}@localhost", PEOPLE[name], self.wall.server.ports["c2s"])


class Reload(OnServer, unittest.IsolatedAsyncioTestCase):
    async def test_new_things_log_in_and_gone_ones_log_out(self):
        wall = await asyncio.to_thread(self.up, 4)
        wall.n = 3
        wall.befriend(0, FRIEND)
        wall.befriend(3, FRIEND)
        await asyncio.to_thread(wall.start)
        await asyncio.to_thread(wall.expect, "3 of 3 accounts are connected")
        async with self.person("friend") as friend:
            self.assertEqual((await friend.read(wall.address(0)))["m0"], "20.5")
            wall.n = 4
            await asyncio.to_thread(wall.jidgate.reload)
            await asyncio.to_thread(wall.expect, "4 of 4 accounts are connected")
            self.assertEqual((await friend.read(wall.address(3)))["m3"], "20.5")
            wall.n = 1
            await asyncio.to_thread(wall.jidgate.reload)
            await asyncio.to_thread(wall.expect, "1 of 1 accounts are connected")
            wall.n = 4
            await asyncio.to_thread(wall.jidgate.reload)
            await asyncio.to_thread(eventually, lambda: wall.count("4 of 4 accounts are connected") == 2, "all to be back", 20)
            self.assertEqual((await friend.read(wall.address(0)))["m0"], "20.5")
            self.assertEqual((await friend.read(wall.address(3)))["m3"], "20.5")


class TooMany(OnServer, unittest.TestCase):
    def test_more_than_libstrophe_can_take_are_refused_at_check_and_at_start(self):
        wall = self.make(901)
        wall.server.ports = {"c2s": 5222}
        wall.jidgate.configure()
        sentence = "901 things are too many for accounts mode, which can have 900"
        status, _, err = wall.jidgate.words("check")
        self.assertEqual(status, 1)
        self.assertIn(sentence, err)
        wall.start()
        self.assertNotEqual(wall.child.wait_for_end(), 0)
        self.assertIn(sentence, wall.child.output())


class Many(OnServer):
    def test_a_hundred_things_come_up_and_come_back(self):
        wall = self.all_up(100)
        self.assertEqual(wall.count("is logged in"), 100)
        wall.server.kill()
        wall.expect("away: ")
        wall.server.start()
        eventually(lambda: wall.count("100 of 100 accounts are connected") == 2, "all of them to be back", 60)
        self.assertEqual(wall.count("<3>"), 0)
        self.assertEqual(wall.count("<4>xmpp: away: "), 1, "once for all of them")

    def test_a_hundred_things_say_goodbye(self):
        wall = self.all_up(100)
        self.assertEqual(wall.jidgate.stop(), 0)


class ManyOnProsody(Many, unittest.TestCase):
    pass


class ManyOnEjabberd(Many, unittest.TestCase):
    server_class = Ejabberd


class Refused(OnServer):
    def test_a_wrong_password_is_said_and_the_others_go_on(self):
        wall = self.up(3, wrong=("wall.m1", )).start()
        wall.expect("2 of 3 accounts are connected")
        wall.expect("ready: ")
        self.assertEqual(wall.count("<3>xmpp: thing 'wall.m1' is away: the server refuses its password; again in 1"), 1)
        self.assertEqual(wall.count("<3>"), 1)

    def test_an_account_that_is_not_there_is_said(self):
        wall = self.make(2)
        wall.server.start()
        wall.server.add_accounts({wall.local(0): wall.passwords[wall.local(0)]})
        wall.start().expect("1 of 2 accounts are connected")
        self.assertEqual(wall.count("<3>xmpp: thing 'wall.m1' is away: the server refuses its password"), 1)


class RefusedByProsody(Refused, unittest.TestCase):
    def nobody_logs_in(self, server_class, sentence):
        wall = self.up(3, server_class=server_class).start()
        wall.expect(sentence)
        eventually(lambda: wall.count("is away: ") == 2, "the others to fail as well")
        self.assertEqual(wall.count("is logged in"), 0)
        self.assertEqual(wall.count("<3>"), 1, "once for all of them")

    def test_a_certificate_for_another_host_is_refused(self):
        self.nobody_logs_in(ForOtherNames, "<3>xmpp: away: the server's certificate is not accepted: hostname mismatch")

    def test_a_certificate_of_another_authority_is_refused(self):
        self.nobody_logs_in(OfNobody, "<3>xmpp: away: the server's certificate is not accepted: self-signed certificate in")

    def test_without_a_ca_file_the_system_is_asked(self):
        wall = self.up(3, xmpp={"ca_file": None})
        system = wall.folder / "certs"
        system.mkdir()
        wall.env["SSL_CERT_DIR"] = str(system)
        wall.start().expect("<3>xmpp: away: the server's certificate is not accepted: self-signed certificate in")
        wall.jidgate.stop()
        shutil.copy(wall.server.ca_file, system / "ours.pem")
        must_run(["openssl", "rehash", system])
        wall.start().expect("3 of 3 accounts are connected")

    def test_with_a_ca_file_the_system_is_not_asked(self):
        wall = self.up(1, server_class=OfNobody)
        system = wall.folder / "certs"
        system.mkdir()
        shutil.copy(wall.server.authority.certificate, system / "theirs.pem")
        must_run(["openssl", "rehash", system])
        wall.env |= {"SSL_CERT_DIR": str(system), "SSL_CERT_FILE": str(system / "theirs.pem")}
        wall.start().expect("<3>xmpp: away: the server's certificate is not accepted")

    def test_a_ca_file_that_is_not_there_is_said(self):
        wall = self.up(1, xmpp={"ca_file": "/nowhere/ca.crt"}).start()
        wall.expect("<3>xmpp: away: the ca_file cannot be read")


class RefusedByEjabberd(Refused, unittest.TestCase):
    server_class = Ejabberd


class Strangers(OnServer, unittest.IsolatedAsyncioTestCase):
    """The friend has the thing in the roster as from; the stranger knows everything but is nobody."""

    async def asyncSetUp(self):
        wall = self.make(2)
        wall.befriend(0, FRIEND)
        wall.server.start()
        wall.server.add_accounts({**PEOPLE, **wall.passwords})
        wall.start().expect("2 of 2 accounts are connected")
        self.friend, self.stranger = self.person("friend"), self.person("stranger")
        for person in (self.friend, self.stranger):
            await person.come_online()
            self.addAsyncCleanup(person.leave)
        self.thing = wall.address(0)
        readout = await self.friend.read(self.thing)
        self.assertEqual(readout["m0"], "20.5")

    async def still_a_stranger(self):
        answer = await self.stranger.refused_read(self.thing)
        self.assertEqual(answer.condition, ("cancel", "service-unavailable"))

    async def test_nobody_is_a_friend_by_an_attribute_of_another_namespace(self):
        """Prosody hands it on, in any order; libstrophe would take it for the from."""
        for i in range(40):
            self.stranger.send_raw(
                f"<iq type='get' id='spoof{i}' to='{self.thing}' xmlns:x='urn:x:{i}' x:from='{FRIEND}/phone' "
                f"from='{self.stranger.jid}'><req xmlns='{SENSORDATA}' seqnr='{i}' momentary='true'/></iq>")
        for i in range(40):
            answer = await self.stranger.inbox.expect(lambda s: s.id == f"spoof{i}", f"the answer to spoof{i}")
            self.assertEqual((answer.type, answer.condition), ("error", ("cancel", "service-unavailable")))
        await self.friend.ping(self.thing)
        self.assertFalse(self.friend.inbox.seen(lambda s: s.id.startswith("spoof")))

    async def test_nobody_is_a_friend_by_a_stanza_in_a_stanza(self):
        inner = (f"<iq xmlns='jabber:client' type='get' id='inner' from='{FRIEND}/phone' to='{self.thing}'>"
                 f"<req xmlns='{SENSORDATA}' seqnr='9' momentary='true'/></iq>")
        self.stranger.send_raw(f"<message to='{self.thing}' type='headline'>{inner}</message>")
        self.stranger.send_raw(f"<iq type='set' id='outer' to='{self.thing}'>{inner}</iq>")
        answer = await self.stranger.inbox.expect(lambda s: s.id == "outer", "the answer")
        self.assertEqual(answer.condition, ("cancel", "service-unavailable"))
        await self.friend.ping(self.thing)
        self.assertFalse(self.friend.inbox.seen(lambda s: s.id == "inner"))

    async def test_nobody_changes_the_roster_but_the_server(self):
        item = element(ROSTER, "item", None, jid=self.stranger.bare_jid, subscription="both")
        answer = await self.stranger.ask("set", self.thing, element(ROSTER, "query", None, item))
        self.assertEqual(answer.condition, ("cancel", "service-unavailable"))
        await self.still_a_stranger()
        item = element(ROSTER, "item", None, jid="stranger@localhost", subscription="both")
        answer = await self.friend.ask("set", self.thing, element(ROSTER, "query", None, item))
        self.assertEqual(answer.type, "error")
        await self.still_a_stranger()

    async def test_what_is_too_large_costs_nobody_anything(self):
        for payload in ("<a/>" * 50000, "<a>" * 20000 + "</a>" * 20000, "<a>" + "\n" * 200000 + "</a>"):
            self.stranger.send_raw(f"<iq type='set' id='large' to='{self.thing}'><q xmlns='x'>{payload}</q></iq>")
            answer = await self.stranger.inbox.expect(lambda s: s.id == "large", "the answer to what is too large")
            self.assertEqual(answer.condition, ("wait", "policy-violation"))
            await self.friend.read(self.thing, timeout=2)
        self.assertEqual(self.wall.count("is away"), 0)

    async def test_a_second_program_as_the_same_thing_is_not_fought(self):
        twin = Actor.client(self.thing, self.wall.passwords[self.wall.local(0)], self.wall.server.ports["c2s"])
        await twin.come_online()
        self.addAsyncCleanup(twin.leave)
        await asyncio.to_thread(self.wall.expect, "<4>xmpp: thing 'wall.m0' is away: another program is logged in as this thing")
        self.assertRegex(self.wall.child.output(), r"wall\.m0' is away: another program[^\n]* again in [3-6]\d s")
        await twin.ask("get", None, element(PING, "ping"))

    async def test_the_server_takes_a_friend_away(self):
        """The roster is changed by another client of the same account; the push leaves before the answer."""
        other = Actor.client(f"{self.wall.local(0)}@localhost/by-hand", self.wall.passwords[self.wall.local(0)],
                             self.wall.server.ports["c2s"])
        await other.connect()
        self.addAsyncCleanup(other.leave)
        item = element(ROSTER, "item", None, jid=FRIEND, subscription="remove")
        answer = await other.ask("set", None, element(ROSTER, "query", None, item))
        self.assertEqual(answer.type, "result")
        refused = await self.friend.refused_read(self.thing)
        self.assertEqual(refused.condition, ("cancel", "service-unavailable"))


if __name__ == "__main__":
    unittest.main()
