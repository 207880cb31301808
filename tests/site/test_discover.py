"""`jidgate discover`: what it prints is pasted, checked and read. CoAP on loopback only; multicast names the interface lo."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.ports import UDP, free_port, listens
from lib.site.process import Child, die_with_parent, run
from lib.site.waiting import eventually
from peers.coap_pages import BYTES, CBOR, JSON, LINKS, SENML, SENML_CBOR, TEXT, Page, Pages

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()
CORE = "/.well-known/core"
POINT = re.compile(r'\{ id = "([^"]+)"; name')


def links(*each):
    return Page(",".join(each), LINKS)


class Discover(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.conf = self.folder / "site.conf"
        self.conf.write_text('buses = ( { id = "mesh"; protocol = "coap"; timeout = "2s"; } );\n')

    def device(self, pages, address="127.0.0.1"):
        device = Pages(pages, address)
        self.addCleanup(device.stop)
        return device

    def libcoap(self, program, address, *words):
        port = free_port(UDP)
        child = Child([f"coap-{program}-openssl", "-A", address, "-p", port, *words], self.folder / f"{port}.log")
        self.addCleanup(child.kill)
        child.wait_for(lambda: listens(child.pid, port, UDP), "the port")
        return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

    def tool(self, *words, conf=None):
        return run([BUILD / "jidgate", "-c", conf or self.conf, *words], timeout=60)

    def discover(self, *words):
        status, out, err = self.tool("discover", *words)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def paste(self, out):
        """As an installer does: a file of its own beside the configuration. What is in it: "device.point" -> value."""
        (self.folder / "devices.d").mkdir(exist_ok=True)
        (self.folder / "devices.d" / "found.conf").write_text(out)
        status, said, err = self.tool("check")
        self.assertEqual((status, err.count("\n")), (0, 1), out + err)
        self.assertIn("warning: no xmpp section", err)
        self.assertNotIn("left out", said)
        values, device = {}, None
        for line in out.splitlines():
            found = re.search(r'\{ id = "([^"]+)"; (bus|name)', line)
            if found and found[2] == "bus":
                device = found[1]
            elif found and 'path = "/async"' not in line:  # libcoap's takes four seconds
                name = f"{device}.{found[1]}"
                self.assertNotIn(name, values)
                status, told, err = self.tool("--json", "read", name)
                self.assertEqual(status, 0, told + err + out)
                values[name] = json.loads(told)["value"]
        return values

    def values(self, out):
        return {name.split(".", 1)[1]: value for name, value in self.paste(out).items()}


class WhatADeviceHas(Discover):
    def test_libcoaps_server_is_found_pasted_checked_and_read(self):
        for address in ("127.0.0.1", "::1"):
            where = self.libcoap("server", address, "-d", "10")
            out = self.discover("mesh", where)
            values = self.values(out)
            self.assertEqual(set(values), {"value", "time", "example_data"} | set(values), out)
            self.assertRegex(values["time"], r"^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d$")
            self.assertIn('name = "Internal Clock"; path = "/time"; observe = true;', out)

    def test_a_bus_that_is_no_coap_is_no_host(self):
        self.conf.write_text('buses = ( { id = "plc"; protocol = "modbus-tcp"; host = "127.0.0.1"; } );\n')
        self.assertEqual(self.tool("discover", "plc"), (1, "", "jidgate: bus 'plc' is no CoAP: modbus-tcp has no resources\n"))

    def test_the_identity_of_the_bus_opens_what_is_protected(self):
        key = self.folder / "key"
        key.write_text("s3cret-of-the-bus")
        port = free_port(UDP)
        child = Child(["coap-server-openssl", "-A", "127.0.0.1", "-p", port, "-k", "s3cret-of-the-bus", "-d", "10"], self.folder / "server.log")
        self.addCleanup(child.kill)
        child.wait_for(lambda: listens(child.pid, port + 1, UDP), "the port")
        self.conf.write_text(f'buses = ( {{ id = "mesh"; protocol = "coap"; psk_identity = "gate"; psk_file = "{key}"; }} );\n')
        out = self.discover("mesh", f"coaps://127.0.0.1:{port + 1}")
        self.assertIn(f'uri = "coaps://127.0.0.1:{port + 1}"', out)
        self.assertIn("time", self.values(out))
        self.assertNotIn("s3cret", out)

    def test_it_needs_no_configuration_and_prints_a_whole_one(self):
        device = self.device({CORE: links("</t>"), "/t": Page("21.5")})
        status, out, err = run([BUILD / "jidgate", "discover", device.where])
        self.assertEqual((status, err), (0, ""))
        whole = self.folder / "whole.conf"
        whole.write_text(out)
        self.assertEqual(self.tool("check", conf=whole)[0], 0, out)
        name = re.findall(r'\{ id = "([^"]+)"; bus = "coap"', out)[0]
        self.assertRegex(self.tool("read", f"{name}.t", conf=whole)[1], r"\.t: 21\.5, good")

    def test_every_format_becomes_points_that_read_the_same(self):
        device = self.device({
            CORE: links("</text>", '</json>;rt="env"', "</senml>;ct=110", "</cbor>;ct=60", "</pack>;ct=112", "</many>;ct=\"0 50\"",
                        "</silent-about-it>", "</lamp>;obs"),
            "/text": Page("21.50"), "/json": Page('{"t": 21.5, "on": true, "in": {"h/%": 40, "no": null}, "l": ["a"]}', JSON),
            "/senml": Page('[{"bn":"urn:dev:1:","n":"t","u":"Cel","v":23.1},{"n":"h","u":"%RH","v":41}]', SENML),
            "/cbor": Page(b"\xa1\x61t\x15", CBOR), "/pack": Page(b"\x81\xa3\x00\x61t\x01\x63Cel\x02\x17", SENML_CBOR),
            "/many": lambda request: Page('{"v": 7}', JSON) if request.accept == JSON else Page("7", TEXT),
            "/silent-about-it": Page('{"v": 8}', None), "/lamp": Page("ON")})
        out = self.discover("mesh", device.where)
        self.assertEqual(self.values(out), {
            "text": "21.50", "json-t": "21.5", "json-on": "true", "json-in-h": "40", "json-l-0": "a", "senml-t": "23.1", "senml-h": "41",
            "cbor-t": "21", "pack-t": "23", "many-v": "7", "silent-about-it-v": "8", "lamp": "true"})
        self.assertIn('record = "urn:dev:1:t"; type = "real"; unit = "°C"', out)
        self.assertIn('format = "json"; pointer = "/v"', out)
        self.assertIn('on = "ON"; off = "OFF"', out)

    def test_titles_become_names_whatever_is_in_them(self):
        device = self.device({CORE: links('</a>;title="Say \\"on\\", \\\\ or\n not"', "</b>;title*=UTF-8''K%C3%BCche", "</c>;rt=temp"),
                              "/a": Page("1"), "/b": Page("2"), "/c": Page("3")})
        out = self.discover("mesh", device.where)
        self.assertEqual(self.values(out), {"a": "1", "b": "2", "c": "3"})
        shown = self.tool("show-config")[1]
        for name in (r'Say \"on\", \\ or? not', "Küche", "temp"):
            self.assertIn(f'name = "{name}";', out)
            self.assertIn(name, shown)

    def test_ids_are_valid_and_never_twice(self):
        paths = ["/a/b", "/a-b", "/A_b", "/a%2Fb", "/-", "/_", "/%C3%BC", "/" + "x" * 200, "/" + "x" * 201, "/a-b-2"]
        device = self.device({CORE: links(*(f"<{path}>" for path in paths)),
                              **{path.replace("%2F", "/").replace("%C3%BC", "ü"): Page("1") for path in paths}})
        values = self.values(self.discover("mesh", device.where))
        self.assertEqual(len(values), len(paths))
        self.assertLessEqual({"a-b", "a-b-2", "a-b-2-2", "value", "value-2", "a_b"}, set(values))

    def test_what_cannot_be_read_is_a_comment_with_the_reason(self):
        device = self.device({
            CORE: links("</ok>", "</gone>", "</bytes>", "</null>", "</empty>", "</bad>", "</latin>", "</later>"),
            "/ok": Page("1"), "/bytes": Page(b"\x00\x01", BYTES), "/null": Page("null", JSON), "/empty": Page(""),
            "/bad": Page('{"v": 1', JSON), "/latin": Page(b"K\xfcche"), "/later": Page("", code=503)})
        out = self.discover("mesh", device.where)
        self.assertEqual(self.values(out), {"ok": "1"})
        for reason in ('# /gone: the device answers 4.04 Not Found ("nothing here")', "# /bytes: has content format 42",
                       "# /null: has no value in it", "# /empty: has no value in it", "# /bad: is not JSON", "# /latin: is no text",
                       "# /later: the device answers 5.03 Service Unavailable"):
            self.assertIn(reason, out)

    def test_a_device_that_does_not_know_what_accept_means_is_asked_without(self):
        device = self.device({CORE: links("</j>;ct=50"), "/j": Page('{"v": 3}', JSON, accepts=False)})
        out = self.discover("mesh", device.where)
        self.assertEqual(self.values(out), {"j-v": "3"})
        self.assertNotIn("format", out)

    def test_a_list_of_many_blocks_is_read_to_its_end(self):
        n = 300
        device = self.device({CORE: links(*(f"</sensors/{i}>" for i in range(n))), **{f"/sensors/{i}": Page(f"{i}.5") for i in range(n)}})
        out = self.discover("mesh", device.where)
        self.assertEqual(len(POINT.findall(out)), n)
        self.assertIn('path = "/sensors/299"', out)

    def test_the_root_of_a_device_is_asked_for_without_a_path(self):
        device = self.device({CORE: links("</>", "</?u=c>", "</a/>"), "/": Page("1"), "/a/": Page("2")})
        self.assertEqual(self.values(self.discover("mesh", device.where)), {"value": "1", "u-c": "1", "a": "2"})
        self.assertEqual({tuple(request.parts) for request in device.asked}, {(), (".well-known", "core"), ("a", "")})

    def test_nothing_is_written_to_a_device(self):
        device = self.device({CORE: links("</t>"), "/t": Page("1")})
        self.discover("mesh", device.where)
        self.assertEqual({request.code for request in device.asked}, {1})


class Directories(Discover):
    def directory(self, pages, paged=True):
        """A resource directory (RFC 9176) that knows the devices in pages: where -> (name, paths)."""
        def resources(request):
            found = [f"<{uri}{path}>;rt=t" for uri, (_, paths) in pages.items() for path in paths]
            return links(*self.page_of(found, request, paged))

        def endpoints(request):
            return links(*self.page_of([f'</rd/{i}>;ep="{name}";base="{uri}"' for i, (uri, (name, _)) in enumerate(pages.items())],
                                       request, paged))
        return self.device({CORE: links("</rd>;rt=core.rd;ct=40", "</res>;rt=core.rd-lookup-res;ct=40", "</ep>;rt=core.rd-lookup-ep;ct=40"),
                            "/res": resources, "/ep": endpoints})

    def page_of(self, found, request, paged):
        page, count = int(request.query.get("page", 0)), int(request.query.get("count", len(found)))
        return found[page * count:(page + 1) * count] if paged else found[:count]

    def pages_of(self, rd):
        return [request.query["page"] for request in rd.asked if request.path == "/res" and not request.block]

    def node(self, n=1):
        return self.device({f"/s/{i}": Page(f"{i}") for i in range(n)})

    def test_what_others_registered_is_looked_up_and_read(self):
        one, two = self.node(), self.node(2)
        rd = self.directory({one.uri: ("Cellar", ["/s/0"]), two.uri: ("Roof 2", ["/s/0", "/s/1"])})
        out = self.discover("mesh", rd.where)
        self.assertEqual(self.paste(out), {"cellar.s-0": "0", "roof-2.s-0": "0", "roof-2.s-1": "1"})
        self.assertNotIn(CORE, one.paths())

    def test_pages_are_read_to_the_last(self):
        node = self.node(120)
        rd = self.directory({node.uri: ("big", [f"/s/{i}" for i in range(120)])})
        out = self.discover("mesh", rd.where)
        self.assertEqual(len(POINT.findall(out)), 120)
        self.assertEqual(self.pages_of(rd), ["0", "1", "2"])

    def test_a_directory_without_pages_does_not_keep_us(self):
        node = self.node(120)
        rd = self.directory({node.uri: ("big", [f"/s/{i}" for i in range(120)])}, paged=False)
        out = self.discover("mesh", rd.where)
        self.assertEqual(len(POINT.findall(out)), 50)
        self.assertEqual(self.pages_of(rd), ["0", "1"])

    def test_a_device_that_is_only_named_is_asked_for_itself(self):
        node = self.device({CORE: links("</t>"), "/t": Page("7")})
        rd = self.directory({node.uri: ("lonely", [])})
        self.assertEqual(self.paste(self.discover("mesh", rd.where)), {"lonely.t": "7"})

    def test_a_look_up_can_be_named_itself(self):
        node = self.node()
        rd = self.directory({node.uri: ("a", ["/s/0"])})
        rd.pages["/res"] = links("</not-this>;rt=core.rd-lookup-ep", f"<{node.uri}/s/0>")
        self.assertEqual(list(self.values(self.discover("mesh", f"{rd.uri}/res"))), ["s-0"])

    def test_libcoaps_directory_leads_to_libcoaps_server(self):
        server, rd = self.libcoap("server", "127.0.0.1", "-d", "10"), self.libcoap("rd", "127.0.0.1")
        told = self.folder / "links"
        told.write_text(f'<coap://{server}/time>;rt="ticks";title="Clock";obs,</relative>')
        status, _, err = run(["coap-client-openssl", "-m", "post", "-t", "40", "-f", told, f"coap://{rd}/rd?ep=node1&ins=first"])
        self.assertEqual(status, 0, err)
        out = self.discover("mesh", rd)
        self.assertEqual(list(self.values(out)), ["time"], out)
        self.assertIn("/relative: the device answers 4.04", out)

    def test_a_device_that_is_no_directory_speaks_for_itself_only(self):
        victim = self.node()
        device = self.device({CORE: links(f"<{victim.uri}/s/0>", f"<{victim.uri}{CORE}>;ct=40", "</t>"), "/t": Page("1")})
        self.assertEqual(list(self.values(self.discover("mesh", device.where))), ["t"])
        self.assertEqual(victim.asked, [])


class Everybody(Discover):
    def test_who_answers_multicast_is_asked_for_himself(self):
        one = self.device({CORE: links("</t>"), "/t": Page("1")}, "127.0.0.2")
        two = self.device({CORE: links("</t>"), "/t": Page("2")}, "127.0.0.3")
        two.doubled = True
        port = free_port(UDP)
        one.join("224.0.1.187", port)
        two.join("224.0.1.187", port)
        out = self.discover("mesh", f"224.0.1.187%lo:{port}")
        for device in (one, two):
            self.assertEqual(device.paths().count("/t"), 1)
        self.assertEqual(sorted(self.paste(out).values()), ["1", "2"])

    def test_a_question_that_is_lost_is_asked_again(self):
        device = self.device({CORE: links("</t>"), "/t": Page("1")})
        device.deaf = 1
        port = device.join("224.0.1.187", free_port(UDP))
        self.conf.write_text('buses = ( { id = "mesh"; protocol = "coap"; timeout = "3s"; } );\n')
        self.assertEqual(self.values(self.discover("mesh", f"224.0.1.187%lo:{port}")), {"t": "1"})

    def test_libcoaps_server_hears_it(self):
        port = free_port(UDP)
        child = Child(["coap-server-openssl", "-p", port, "-g", "224.0.1.187", "-G", "lo"], self.folder / "server.log")
        self.addCleanup(child.kill)
        child.wait_for(lambda: listens(child.pid, port, UDP), "the port")
        self.conf.write_text('buses = ( { id = "mesh"; protocol = "coap"; timeout = "6s"; } );\n')
        out = self.discover("mesh", f"224.0.1.187%lo:{port}")
        self.assertIn(f'uri = "coap://127.0.0.1:{port}"', out)
        self.assertIn('path = "/time"', out)

    # In a network namespace of its own: two ends of a cable, and nothing else that could be asked.
    CABLE = """
        set -e
        ip link set lo up
        ip link add v0 type veth peer name v1
        for end in v0 v1; do echo 0 > /proc/sys/net/ipv6/conf/$end/accept_dad; ip link set $end up; done
        coap-server-openssl -p 5683 -g ff02::fd -G v1 -d 10 > server.log 2>&1 &
        for try in $(seq 200); do grep -q 'ff020*fd ' /proc/net/igmp6 && break; sleep 0.05; done
        set +e
        "$@"
        code=$?
        kill $!
        exit $code"""

    def test_ipv6_is_heard_on_the_interface_that_is_named(self):
        self.conf.write_text('buses = ( { id = "mesh"; protocol = "coap"; timeout = "6s"; } );\n')
        command = ["unshare", "-rn", "sh", "-c", self.CABLE, "cable", BUILD / "jidgate", "-c", self.conf, "discover", "mesh", "multicast%v0"]
        status, out, err = run(command, timeout=60, cwd=self.folder)
        if "unshare" in err or "RTNETLINK" in err or "not permitted" in err:
            self.skipTest(f"no namespace to try it in: {err.strip()}")
        self.assertEqual((status, err), (0, ""), out)
        self.assertRegex(out, r'id = "coap-fe80-[0-9a-f-]+-v0"; .* uri = "coap://\[fe80::[0-9a-f:]+%25v0\]"')
        self.assertIn('path = "/time"', out)

    def test_an_interface_that_is_not_there_is_said_so(self):
        status, out, err = self.tool("discover", "mesh", "224.0.1.187%nowhere0")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err, "jidgate: 224.0.1.187%nowhere0: interface 'nowhere0' has no address for it\n")

    def test_nobody_is_nothing(self):
        status, out, err = self.tool("discover", "mesh", f"224.0.1.187%lo:{free_port(UDP)}")
        self.assertEqual((status, out, err), (1, "", "jidgate: nothing was found that can be read\n"))


class Hostile(Discover):
    def test_a_list_of_links_is_bounded(self):
        for body, least in (("<>," * 21000, 0), (",".join(f"</{i}>" for i in range(7500)), 500), ("</a>;a=" + "x" * 65000, 1),
                            ('</a>;title="' + "x" * 60000 + '"', 1)):
            device = self.device({CORE: Page(body, LINKS), **{f"/{i}": Page("1") for i in range(500)}, "/a": Page("1")})
            status, out, err = self.tool("discover", "mesh", device.where)
            self.assertEqual((status, len(POINT.findall(out))), (0 if least else 1, least), err)
            self.assertEqual("there was more" in out, least == 500)

    def test_what_is_too_large_or_no_list_is_said_so(self):
        for page, why in ((Page("x" * 70000, LINKS), "more than 65536"), (Page("21.5"), "is no list of links: a link begins with '<'"),
                          (Page("[]", JSON), "has content format 50, which is no list of links"), (Page("", code=404), "4.04 Not Found"),
                          (Page('</t>,</b>;rt="', LINKS), "a quote is not closed")):
            device = self.device({CORE: page, "/t": Page("1")})
            _, out, _ = self.tool("discover", "mesh", device.where)
            self.assertIn(why, out)
        self.assertIn('path = "/t"', out)

    def test_a_wrong_token_is_no_answer(self):
        device = self.device({CORE: links("</t>"), "/t": Page("1")})
        device.wrong_token = True
        status, out, err = self.tool("discover", "mesh", device.where)
        self.assertEqual((status, err), (1, "jidgate: nothing was found that can be read\n"))
        self.assertIn("no answer in 2000 ms", out)

    def test_lists_that_lead_in_circles_end(self):
        device = self.device({CORE: links("</a>;ct=40", f"<{CORE}>"), "/a": links("</b>;ct=40", "</a>;ct=40"),
                              "/b": links("</a>;ct=40", "</c>;ct=40", "</t>"), "/c": links("</d>;ct=40"), "/t": Page("1")})
        self.assertEqual(self.values(self.discover("mesh", device.where)), {"t": "1"})
        self.assertEqual(sorted(device.paths()[:4]), [CORE, "/a", "/b", "/t"])

    def test_a_list_of_lists_is_bounded(self):
        device = self.device({CORE: links("</t>", *(f"</{i}>;ct=40" for i in range(400))), "/t": Page("1"),
                              **{f"/{i}": links() for i in range(400)}})
        out = self.discover("mesh", device.where)
        self.assertIn("# there was more", out)
        self.assertEqual(self.values(out), {"t": "1"})
        self.assertLessEqual(len(set(device.paths())), 301)

    def test_a_directory_without_end_ends(self):
        def more(request):
            page = int(request.query["page"])
            return links(*(f"</t/{page}/{i}>" for i in range(50)))
        rd = self.device({CORE: links("</res>;rt=core.rd-lookup-res"), "/res": more})
        status, out, _ = self.tool("discover", "mesh", rd.where)
        self.assertEqual((status, "there was more" in out), (1, True))
        self.assertLess(rd.paths().count("/res"), 310)

    def test_a_device_that_falls_silent_does_not_cost_the_time_of_all_it_has(self):
        device = self.device({CORE: links("</t>", *(f"</{i}>" for i in range(200))), "/t": Page("1"), **{f"/{i}": lambda _: None for i in range(200)}})
        out = self.discover("mesh", device.where)
        self.assertEqual(self.values(out), {"t": "1"})
        self.assertGreater(out.count("was not read: the device is silent"), 180)

    def test_ctrl_c_prints_what_was_found_so_far(self):
        device = self.device({CORE: links("</t>", "</never>"), "/t": Page("1"), "/never": lambda _: None})
        self.conf.write_text('buses = ( { id = "mesh"; protocol = "coap"; timeout = "60s"; } );\n')
        child = subprocess.Popen([BUILD / "jidgate", "-c", self.conf, "discover", "mesh", device.where], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        try:
            eventually(lambda: "/never" in device.paths(), "the last question")
        finally:
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=20)
        self.assertEqual((child.returncode, err), (0, ""))
        self.assertIn("# /never: was not read in time", out)
        self.assertEqual(self.values(out), {"t": "1"})


class Words(Discover):
    def test_several_places_are_looked_at_and_a_wrong_one_keeps_nobody_from_the_others(self):
        one, two = (self.device({CORE: links("</t>"), "/t": Page("1")}) for _ in range(2))
        status, out, err = self.tool("discover", "mesh", one.where, "coap://[::zz]", two.where)
        self.assertEqual((status, len(self.paste(out))), (0, 2))
        self.assertEqual(err, "jidgate: coap://[::zz]: '::zz' is not an IPv6 address\n")

    def test_ids_of_the_configuration_are_not_used_again(self):
        device = self.device({CORE: links("</t>"), "/t": Page("1")})
        taken = "coap-" + re.sub("[.:]", "-", device.where)
        self.conf.write_text(self.conf.read_text() + f'devices = ( {{ id = "{taken}"; bus = "mesh"; uri = "{device.uri}"; '
                             'points = ( { id = "t"; path = "/t"; type = "real"; } ); } );')
        self.assertEqual(list(self.paste(self.discover("mesh", device.where))), [f"{taken}-2.t"])

    def test_a_configuration_that_is_wrong_or_missing_is_said_so(self):
        self.conf.write_text("buses = ( { id = }")
        status, out, err = self.tool("discover", "mesh", "127.0.0.1")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("site.conf:1", err)
        status, out, err = self.tool("discover", "127.0.0.1", conf=self.folder / "nothing.conf")
        self.assertEqual((status, out), (1, ""))


if __name__ == "__main__":
    unittest.main()
