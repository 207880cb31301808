"""Prosody in a private folder."""
import os
import shutil

from .xmpp_server import DOMAIN, XmppServer

# gc and nagle: the defaults spend half the CPU in garbage collection and add 40 ms to every tenth answer.
# kick_old: a gateway that lost its TCP connection may come back at once.
CONFIGURATION = """
gc = {{ mode = "incremental", threshold = 200, speed = 500 }}
network_settings = {{ nagle = false }}
run_as_root = {root}
pidfile = "{folder}/prosody.pid"; data_path = "{folder}/data"; certificates = "{folder}/certs"
plugin_paths = {{}}; installer_plugin_path = "{folder}/plugins"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/prosody.log" }} }}
admins = {{}}; use_ipv6 = false; interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}; c2s_direct_tls_ports = {{}}; s2s_ports = {{}}; http_ports = {{}}; https_ports = {{}}
component_ports = {{ {component} }}; component_interfaces = {{ "127.0.0.1" }}; component_conflict_resolve = "kick_old"
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "smacks", "offline" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = false; allow_unencrypted_plain_auth = true; authentication = "internal_plain"
VirtualHost "{domain}"
"""
COMPONENT = """Component "{domain}"
  component_secret = "{secret}"
"""
ACCOUNT = 'return {{\n\t["password"] = "{password}";\n}};\n'


class Prosody(XmppServer):
    name = "prosody"

    def configure(self):
        certs = self.folder / "certs"
        certs.mkdir(exist_ok=True)
        shutil.copy(self.certificate, certs / f"{DOMAIN}.crt")
        shutil.copy(self.key, certs / f"{DOMAIN}.key")
        self._accounts.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.format(folder=self.folder, domain=DOMAIN, root=str(os.geteuid() == 0).lower(), **self.ports)
        text += "".join(COMPONENT.format(domain=domain, secret=secret) for domain, secret in self.components.items())
        (self.folder / "prosody.cfg.lua").write_text(text)

    def command(self):
        return ["prosody", "--config", self.folder / "prosody.cfg.lua", "-F"]

    @property
    def _accounts(self):
        return self.folder / "data" / DOMAIN / "accounts"

    def add_accounts(self, accounts):
        for name, password in accounts.items():
            escaped = "".join(c if c.isascii() and c.isalnum() else "".join(f"%{b:02x}" for b in c.encode()) for c in name)
            (self._accounts / f"{escaped}.dat").write_text(ACCOUNT.format(password=password))

    def stop(self):
        # Asked to stop it takes two seconds to say goodbye; nobody needs its words.
        if self.child:
            self.kill()
