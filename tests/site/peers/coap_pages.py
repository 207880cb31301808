"""A CoAP device that says what a test wrote, path by path: GET only, piggybacked answers, blocks of 1024 bytes, in a thread."""
import hashlib
import selectors
import socket
import struct
import threading

TEXT, LINKS, BYTES, JSON, CBOR, SENML, SENML_CBOR = 0, 40, 42, 50, 60, 110, 112
ETAG, URI_PATH, FORMAT, URI_QUERY, ACCEPT, BLOCK2 = 4, 11, 12, 15, 17, 23
BLOCK = 1024


class Page:
    def __init__(self, body="", format=TEXT, code=205, accepts=True):
        self.body = body.encode() if isinstance(body, str) else body
        self.format, self.code, self.accepts = format, code, accepts  # format None: not said


def options(pairs):
    out, last = b"", 0
    for number, value in sorted(pairs):
        delta, size = number - last, len(value)
        out += bytes([min(delta, 13) << 4 | size]) + (bytes([delta - 13]) if delta >= 13 else b"") + value
        last = number
    return out


def uint(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


class Request:
    def __init__(self, data):
        self.type, self.code = data[0] >> 4 & 3, data[1]
        self.mid, token = data[2:4], data[0] & 15
        self.token, at, number = data[4:4 + token], 4 + token, 0
        found = []
        while at < len(data) and data[at] != 0xFF:
            delta, size = data[at] >> 4, data[at] & 15
            at += 1
            if delta == 13:
                delta, at = 13 + data[at], at + 1
            if size == 13:
                size, at = 13 + data[at], at + 1
            number += delta
            found.append((number, data[at:at + size]))
            at += size
        self.parts = [value.decode() for key, value in found if key == URI_PATH]
        self.path = "/" + "/".join(self.parts)
        self.query = dict(value.decode().partition("=")[::2] for key, value in found if key == URI_QUERY)
        numbers = {key: int.from_bytes(value, "big") for key, value in found}
        self.accept, self.block = numbers.get(ACCEPT), numbers.get(BLOCK2, 0) >> 4


class Pages:
    """pages: path -> Page, or a function of the Request that returns one."""

    def __init__(self, pages, address="127.0.0.1"):
        self.pages, self.asked = pages, []
        self.silent = self.wrong_token = self.doubled = False
        self.deaf = 0  # so many questions of a group are lost
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.address, self.port = self.socket.getsockname()[:2]
        self.where = f"[{address}]:{self.port}" if ":" in address else f"{address}:{self.port}"
        self.uri = f"coap://{self.where}"
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.socket, selectors.EVENT_READ)
        self.ears, self.ended = [], threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def join(self, group, port, interface="lo"):
        """Hears a group, too; answers come from its own address."""
        ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ears.bind((group, port))
        index = socket.if_nametoindex(interface)
        ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4si", socket.inet_aton(group), b"\0" * 4, index))
        self.ears.append(ears)
        self.selector.register(ears, selectors.EVENT_READ)
        return ears.getsockname()[1]

    def serve(self):
        while not self.ended.is_set():
            for key, _ in self.selector.select(0.1):
                data, sender = key.fileobj.recvfrom(4096)
                if key.fileobj is not self.socket and self.deaf:
                    self.deaf -= 1
                elif len(data) >= 4 and 0 < data[1] < 32:
                    self.take(Request(data), sender)

    def take(self, request, sender):
        self.asked.append(request)
        if self.silent:
            return
        page = self.pages.get(request.path, Page("nothing here", code=404))
        page = page(request) if callable(page) else page
        if page is None:
            return
        if not page.accepts and request.accept is not None:
            page = Page("what is that?", code=402)
        for _ in range(1 + self.doubled):
            self.socket.sendto(self.answer(request, page), sender)

    def answer(self, request, page):
        token = bytes([request.token[0] ^ 1]) + request.token[1:] if self.wrong_token else request.token
        code = page.code // 100 << 5 | page.code % 100
        pairs, body = [], page.body
        if page.format is not None and page.code == 205:
            pairs.append((FORMAT, uint(page.format)))
        if len(body) > BLOCK:
            begin = request.block * BLOCK
            more = begin + BLOCK < len(body)
            pairs += [(ETAG, hashlib.sha1(body).digest()[:4]), (BLOCK2, uint(request.block << 4 | more << 3 | 6))]
            body = body[begin:begin + BLOCK]
        head = bytes([0x40 | (2 if request.type == 0 else 1) << 4 | len(token), code])
        return head + request.mid + token + options(pairs) + (b"\xff" + body if body else b"")

    def paths(self):
        return [request.path for request in self.asked]

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.selector.close()
        for each in [self.socket, *self.ears]:
            each.close()
