"""What docs/architecture.md says of the house, as tables: which room stands on which floor, who may include what."""

FLOORS = {
    "core/base": 0,
    "core/model": 1, "core/loop": 1,
    "core/conf": 2, "core/store": 2,
    "core/gate": 3, "core/bridge": 3,
    "core/control": 4, "core/xmpp": 4, "core/provisioner": 4, "bridges": 4,
    "core": 5,
    "core/cli": 6,
    "tests": 7,
}

# The doors through which one room, or one file, may look where it may not by its floor: room or file -> headers.
DOORS = {
    "core/main.c": {"core/cli/cli.h"},
    "core/provisioner": {f"core/xmpp/{name}.h" for name in ("element", "jid", "link", "reply", "route", "writer")},
}

# A library header belongs to one room, or to one file.
LIBRARIES = {
    "uv.h": "core/loop/",
    "libconfig.h": "core/conf/",
    "sqlite3.h": "core/store/",
    "expat.h": "core/xmpp/parser.c",
    "strophe.h": "core/xmpp/account",
    "stringprep.h": ("core/xmpp/jid.c", "core/conf/"),
    "openssl/": ("core/xmpp/", "core/provisioner/", "bridges/tls.c"),
    "mosquitto.h": ("bridges/broker", "bridges/reason.c"),
    "coap3/": "bridges/coap",
    "modbus": "bridges/",
    "jansson.h": ("bridges/", "core/control/question.c", "core/cli/"),
    "qrencode.h": "core/cli/qr.c",
}

# Symbols that must not be used outside of the named files: what blocks the loop, what overruns, what is the heap.
BANNED = {
    "sleep usleep nanosleep select poll ppoll epoll_wait system popen getaddrinfo gethostbyname xmpp_run mosquitto_loop "
    "mosquitto_loop_forever mosquitto_loop_start mosquitto_connect": (),
    "strcpy strcat sprintf vsprintf strtok gets atoi atol atof rand srand": (),
    "malloc calloc realloc free strdup strndup asprintf vasprintf": ("core/base/mem.c",),
}
# Threads of their own may block: their one file is named here with what it may call.
MAY_BLOCK = {
    "bridges/mbline.c": "poll ppoll",
    "core/xmpp/account_thread.c": "poll",
}

# Libraries whose calls belong to one room or file, by the beginning of their names.
CALLS = {
    "uv_": "core/loop/",
    "sqlite3_": "core/store/",
    "config_": "core/conf/",
    "QRcode_": "core/cli/qr.c",
    "XML_": "core/xmpp/parser.c",
    "modbus_": "bridges/",
    "mosquitto_": "bridges/",
    "coap_": "bridges/",
    "xmpp_": "core/xmpp/account",
}

TABOO = ("uv_", "xmpp_", "coap_", "modbus_", "mosquitto_", "config_", "sqlite3_", "cr_", "sd_")

MOST_LINES, MOST_FUNCTION, MOST_NESTING = 500, 70, 4
