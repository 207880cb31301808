"""mosquitto in a private folder, and its command line tools."""
import os

from .process import Child, must_run
from .server import Server


class Mosquitto(Server):
    name = "mosquitto"

    def __init__(self, folder, users=None, sealed=None):
        """users: name -> password; None lets everybody in. sealed: files of the authority, certificate for localhost and key."""
        super().__init__(folder)
        self.users, self.sealed = users or {}, sealed

    def configure(self):
        lines = [f"listener {self.port} 127.0.0.1", "set_tcp_nodelay true", "persistence false",
                 "log_dest stdout", "log_type all", "connection_messages true",
                 f"allow_anonymous {str(not self.users).lower()}"]
        if os.geteuid() == 0:
            lines.append("user root")  # it would change the user, and then neither read our files nor die with us
        if self.sealed:
            lines += [f"{word} {file}" for word, file in zip(("cafile", "certfile", "keyfile"), self.sealed)]
        if self.users:
            lines.append(f"password_file {self._write_passwords()}")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def _write_passwords(self):
        path = self.folder / "passwords"
        path.touch(mode=0o600)
        for name, password in self.users.items():
            must_run(["mosquitto_passwd", "-b", path, name, password])
        return path

    def command(self):
        return ["mosquitto", "-c", self.folder / "mosquitto.conf"]

    # the independent tools
    def client(self, tool):
        """mosquitto_pub or mosquitto_sub with where to go and who we are."""
        words = [tool, "-h", "127.0.0.1", "-p", self.port]
        if self.sealed:
            words[2:3] = ["localhost", "--cafile", self.sealed[0]]
        for name, password in list(self.users.items())[:1]:
            words += ["-u", name, "-P", password]
        return words

    def publish(self, topic, payload, retain=False):
        must_run([*self.client("mosquitto_pub"), "-q", "1", "-t", topic, "-m", payload, *(["-r"] if retain else [])])

    def listen(self, topic, log_name="listen"):
        """mosquitto_sub that is already subscribed; wait_for_line("> TOPIC PAYLOAD")."""
        words = ["stdbuf", "-oL", *self.client("mosquitto_sub"), "-q", "1", "-d", "-F", "> %t %p", "-t", topic]
        child = Child(words, self.folder / f"{log_name}.log")
        child.wait_for_line("Subscribed (mid:")
        return child
