"""ejabberd in a private folder, without ejabberdctl: that one changes the user and starts a port mapper."""
import glob
import os
import secrets
from pathlib import Path

from .ports import TCP
from .process import must_run
from .waiting import Failed
from .xmpp_server import DOMAIN, XmppServer

# global_routes false: otherwise every component gets the routes of all of them.
CONFIGURATION = """
loglevel: warning
hosts: [ {domain} ]
certfiles: [ {folder}/server.pem ]
auth_method: internal
auth_password_format: plain
listen:
  - {{ port: {c2s}, ip: "127.0.0.1", module: ejabberd_c2s, starttls: true, starttls_required: false,
      max_stanza_size: 262144, shaper: none, access: all }}
  - port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    global_routes: false
    access: all
    shaper: none
    max_stanza_size: 1048576
    hosts: {{ {components} }}
acl: {{ local: {{ user_regexp: "" }} }}
access_rules: {{ local: {{ allow: local }}, c2s: {{ allow: all }} }}
modules: {{ mod_disco: {{}}, mod_ping: {{}}, mod_roster: {{}}, mod_stream_mgmt: {{}}, mod_offline: {{}} }}
"""
REGISTER = """
lists:foreach(fun({Name, Password}) ->
    ok = rpc:call('NODE', ejabberd_auth, try_register, [Name, <<"DOMAIN">>, Password])
  end, [ACCOUNTS]), halt(0).
"""


def _libraries():
    found = glob.glob("/usr/lib/*/ejabberd-[0-9]*")
    if not found:
        raise Failed("ejabberd is not installed under /usr/lib")
    return Path(found[0]).parent


class Ejabberd(XmppServer):
    name = "ejabberd"
    kinds = {"c2s": TCP, "component": TCP, "erlang": TCP}
    node = "site@localhost"

    def __init__(self, folder, components):
        super().__init__(folder, components)
        self._cookie = secrets.token_hex(16)
        for part in ("home", "spool", "logs"):
            (self.folder / part).mkdir()
        pem = self.folder / "server.pem"
        pem.write_text(self.key.read_text() + self.certificate.read_text())

    def configure(self):
        hosts = ", ".join(f'{domain}: {{ password: "{secret}" }}' for domain, secret in self.components.items())
        text = CONFIGURATION.format(folder=self.folder, domain=DOMAIN, components=hosts, **self.ports)
        (self.folder / "ejabberd.yml").write_text(text)

    def _environment(self):
        return {
            "HOME": str(self.folder / "home"), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "ERL_LIBS": str(_libraries()), "ERL_INETRC": "/etc/ejabberd/inetrc", "ERL_MAX_PORTS": "4096",
            "ERL_MAX_ETS_TABLES": "1400", "ERL_CRASH_DUMP": str(self.folder / "logs/crash.dump"),
            "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
            "EJABBERD_LOG_PATH": str(self.folder / "logs/ejabberd.log"),
        }

    def options(self):
        return {"env": self._environment(), "cwd": self.folder / "spool"}

    def _erlang(self, name):
        return ["erl", "-sname", name, "-setcookie", self._cookie, "-erl_epmd_port", self.ports["erlang"],
                "-start_epmd", "false", "-noinput"]

    def command(self):
        return [*self._erlang(self.node), "-kernel", "inet_dist_use_interface", "{127,0,0,1}", "+K", "true",
                "-mnesia", "dir", f'"{self.folder}/spool"', "-s", "ejabberd"]

    def add_accounts(self, accounts):
        pairs = ", ".join(f'{{<<"{name}">>, <<"{password}">>}}' for name, password in accounts.items())
        program = REGISTER.replace("NODE", self.node).replace("DOMAIN", DOMAIN).replace("ACCOUNTS", pairs)
        must_run([*self._erlang(f"ctl{os.getpid()}@localhost"), "-hidden", "-dist_listen", "false", "-eval", program],
                 env=self._environment())

    def stop(self):
        if self.child:
            self.kill()
