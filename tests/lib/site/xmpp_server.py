"""What Prosody and ejabberd have in common for us: one domain, some components, accounts, a certificate."""
from pathlib import Path

from .certificates import Authority
from .ports import TCP
from .server import Server

DOMAIN = "localhost"


class XmppServer(Server):
    kinds = {"c2s": TCP, "component": TCP}

    def __init__(self, folder: Path, components):
        """components: domain -> secret."""
        super().__init__(folder)
        self.components = dict(components)
        self.authority = Authority(self.folder / "ca")
        self.certificate, self.key = self.authority.sign([DOMAIN, *self.components], "server")

    @property
    def ca_file(self):
        return self.authority.certificate

    def add_accounts(self, accounts):
        """accounts: localpart -> password. After start."""
        raise NotImplementedError
