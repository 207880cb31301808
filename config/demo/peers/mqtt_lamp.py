#!/usr/bin/python3
"""A lamp on an MQTT broker, to try the gateway on.

    mqtt_lamp.py HOST PORT TOPIC

It hears {"state": "ON"} or {"state": "OFF"} on TOPIC/set, switches, and says what it is now on TOPIC (retained), as a
Zigbee lamp behind zigbee2mqtt does; on TOPIC/get it says it again. mosquitto_sub is its ear, mosquitto_pub its mouth.
"""
import ctypes
import json
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tool(name, host, port, *words, **pipes):
    # stdbuf: into a pipe the tools would keep their words until there are 4 KiB of them
    return subprocess.Popen(["stdbuf", "-oL", name, "-h", host, "-p", port, "-q", "1", *words], text=True, bufsize=1,
                            preexec_fn=die_with_parent, **pipes)


def wanted(line):
    try:
        state = json.loads(line).get("state")
    except (ValueError, AttributeError):
        return None
    return state if state in ("ON", "OFF") else None


def serve(ear, mouth):
    state = "OFF"

    def say():
        mouth.write(json.dumps({"state": state}) + "\n")
        print(f"lamp is {state}", flush=True)

    for line in ear:
        if line.startswith("Subscribed"):
            say()
            print("ready", flush=True)
        elif line.startswith("> "):
            topic, payload = line[2:].split(" ", 1)
            if topic.endswith("/set") and not wanted(payload):
                continue
            state = wanted(payload) if topic.endswith("/set") else state
            say()


def main():
    host, port, topic = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    mouth = tool("mosquitto_pub", host, port, "-t", topic, "-r", "-l", stdin=subprocess.PIPE)
    ear = tool("mosquitto_sub", host, port, "-t", f"{topic}/set", "-t", f"{topic}/get", "-d", "-F", "> %t %p", stdout=subprocess.PIPE)
    try:
        serve(ear.stdout, mouth.stdin)
    finally:
        for child in (ear, mouth):
            child.kill()
            child.wait()


if __name__ == "__main__":
    main()
