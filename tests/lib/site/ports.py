"""Free ports of the loopback interface, and who listens on them."""
import os
import re
import socket

TCP, UDP = "tcp", "udp"
LISTENING = {TCP: "0A", UDP: "07"}  # column st of /proc/net/tcp and udp
KINDS = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}


def free_port(kind=TCP):
    """A port the kernel chose. Nothing keeps it ours: whoever binds it has to be asked with listens()."""
    with socket.socket(socket.AF_INET, KINDS[kind]) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listening_inodes(port, kind):
    for table in (kind, kind + "6"):
        with open(f"/proc/net/{table}", encoding="ascii") as rows:
            for row in list(rows)[1:]:
                columns = row.split()
                if int(columns[1].rsplit(":", 1)[1], 16) == port and columns[3] == LISTENING[kind]:
                    yield columns[9]


def _inodes_of(pid):
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        try:
            target = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        found = re.fullmatch(r"socket:\[(\d+)\]", target)
        if found:
            yield found[1]


def listens(pid, port, kind=TCP):
    """True if this very process has the port: no connection is made, and no stranger on the port fools us."""
    wanted = set(_listening_inodes(port, kind))
    return bool(wanted) and not wanted.isdisjoint(_inodes_of(pid))
