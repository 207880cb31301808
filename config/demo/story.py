#!/usr/bin/python3
"""Tells the story of a site while it plays: story.py BUILD [--once]. config/demo/run is the way to call it."""
import asyncio
import signal
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))
sys.dont_write_bytecode = True
from lib.site.boiler_house import BEDROOM, LAMP, SERVICE, BoilerHouse
from lib.site.scenario import STORY, Stage, play
from lib.site.waiting import Failed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BY_HAND = """
The site stays up until Ctrl-C. Try it by hand, in another terminal:

  a chat client        account {owner}   password {owner_password}
                       server 127.0.0.1, port {c2s}, no encryption (or trust {ca})
                       the things are in the contact list; the service is {service}
  another account      {anna}   password {anna_password}

  the bedroom sensor   mosquitto_pub -h 127.0.0.1 -p {mqtt} -t {bedroom} -m '{{"temperature": 23.5, "battery": 80}}'
  the lamp             mosquitto_sub -h 127.0.0.1 -p {mqtt} -v -t '{lamp}/#'
                       mosquitto_pub -h 127.0.0.1 -p {mqtt} -t {lamp}/set -m '{{"state": "OFF"}}'
  the boiler           mbpoll -m tcp -p {boiler} -a 1 -0 -t 4 -r 10 -1 127.0.0.1         (set point, tenths)
                       mbpoll -m tcp -p {boiler} -a 1 -0 -t 4 -r 100 -1 127.0.0.1 512    (make it 51.2 degrees warm)
  the meter            mbpoll -m tcp -p {meter} -a 1 -0 -B -t 4:float -r 102 -1 127.0.0.1 987.5
  the garden           coap-client-openssl -m get {garden}/sensors/temp
                       coap-client-openssl -m put -e 17.5 {garden}/sensors/temp

  what the gateway says        tail -f {log}
  its configuration            {conf}
  names, keys of the things    {program} labels --format tsv -c {conf}
"""


class Narrator:
    def __init__(self):
        self.chapter = None

    def __call__(self, chapter, sentence, seen, failure):
        if chapter != self.chapter:
            self.chapter = chapter
            print(f"\n{chapter}")
        print(f"{'✗' if failure else '✓'} {sentence}", flush=True)
        print("".join(f"    {line}\n" for line in str(failure or seen).splitlines()), end="", flush=True)


def introduce(house):
    print("\nA site on this machine: "
          f"Prosody on port {house.server.ports['c2s']}, mosquitto on {house.broker.port}, a CoAP node on {house.garden.port}, "
          f"a Modbus TCP boiler on {house.boiler.port}, a Modbus RTU meter on {house.meter.tty}.\n"
          "jidgate is gateway and provisioning service in one process between them.", flush=True)


def tell_by_hand(house):
    print(BY_HAND.format(
        owner=house.person("owner"), owner_password=house.passwords["owner"], anna=house.person("anna"),
        anna_password=house.passwords["anna"], c2s=house.server.ports["c2s"], ca=house.server.ca_file, service=SERVICE,
        mqtt=house.broker.port, bedroom=BEDROOM, lamp=LAMP, boiler=house.boiler.port, meter=house.meter.port,
        garden=house.garden.uri, log=house.jidgate.folder / "output.log", conf=house.jidgate.file,
        program=house.jidgate.program), flush=True)


async def stay_up(house):
    for device in (house.boiler, house.meter, house.garden):
        device.move()
    tell_by_hand(house)
    await asyncio.Event().wait()


async def tell(house, once):
    async with Stage(house) as stage:
        good = await play(stage, Narrator(), last_too=once)
    if good and not once:
        await stay_up(house)
    return good


def stop_once(*_):
    """The first signal ends the story wherever it is; a second one does not disturb the tidying up."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def live(folder, build, once):
    house = BoilerHouse(Path(folder), TOP / build)
    try:
        introduce(house.start_surroundings())
        return asyncio.run(tell(house, once))
    except Failed as e:
        print(f"✗ the site does not come up\n    {e}")
        return False
    finally:
        house.stop()


def main(build, *words):
    once = words == ("--once",)
    for number in SIGNALS:
        signal.signal(number, stop_once)
    with tempfile.TemporaryDirectory(prefix="jidgate-demo-") as folder:
        try:
            good = live(folder, build, once)
        except KeyboardInterrupt:
            print("\nStopped.")
            good = not once
    if once:
        print(f"\nAll {len(STORY)} steps held." if good else "\nNot every step held.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
