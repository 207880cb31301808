"""Reading and writing, each checked at the device with a tool that knows nothing of us; and what a stranger gets."""
import time

from .boiler_house import SPOTS, BoilerHouse
from .stage import KEPT_BACK, must, step
from .stanza import PING, element

USE, STRANGER = "Anna uses what she may", "A stranger tries"


async def read_value(stage, spot):
    value = (await stage.anna.read(stage.jid(spot))).values.get(spot.field)
    must(value is not None, f"{spot.local} has no field {spot.field!r}")
    return value


def new_temperature(house):
    house.bedroom["temperature"] += 1
    house.speak_bedroom()


# What tells of itself, and how it is made to.
SPEAKING = {"bedroom.temp": new_temperature, "lamp.state": BoilerHouse.speak_lamp}


async def read_news(stage, spot):
    """The device says something; when the gateway hears it we cannot know, so a few readings may be too early."""
    SPEAKING[spot.local](stage.house)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        value = (await stage.anna.read(stage.jid(spot))).values.get(spot.field)
        if value and value.value == spot.look(stage.house):
            return value
    return await read_value(stage, spot)


def add_read(spot):
    @step(USE, f"Anna reads {spot.local}, and {spot.tool} sees the same")
    async def read(stage):
        value = await (read_news if spot.local in SPEAKING else read_value)(stage, spot)
        wanted = spot.look(stage.house)
        must((value.value, value.unit) == (wanted, spot.unit), f"read {value.value} {value.unit}, the device has {wanted}")
        return f"{value.name} is {value.value} {value.unit}".strip()


def add_write(spot):
    kind, value = spot.setting

    @step(USE, f"Anna sets {spot.local} to {value}, and {spot.tool} sees it at the device")
    async def write(stage):
        before = spot.look(stage.house)
        must(before != value, f"it is {value} already")
        await stage.anna.set(stage.jid(spot), (kind, spot.field, value))
        return f"{before} became {stage.house.await_value(spot, value)}"


for each in SPOTS:
    if each is not KEPT_BACK:
        add_read(each)
for each in SPOTS:
    if each is not KEPT_BACK and each.setting:
        add_write(each)


@step(USE, "Anna sets a temperature out of range, is refused, and the device keeps its value")
async def write_wrongly(stage):
    spot = next(spot for spot in SPOTS if spot.local == "boiler.setpoint")
    before = spot.look(stage.house)
    answer = await stage.anna.refused_set(stage.jid(spot), ("double", spot.field, "99"))
    must(spot.look(stage.house) == before, "the device was changed")
    return f"{answer.condition[1]}: {answer.error_text}".rstrip(": ")


# What a stranger may try: (iq type, what makes the payload)
KNOCKS = {
    "read": ("get", lambda person: person.request("7", momentary="true")),
    "set": ("set", lambda person: person.setting((KEPT_BACK.setting[0], KEPT_BACK.field, KEPT_BACK.setting[1]))),
    "discover": ("get", lambda _: element("http://jabber.org/protocol/disco#info", "query")),
    "vcard": ("get", lambda _: element("vcard-temp", "vCard")),
    "ping": ("get", lambda _: element(PING, "ping")),
}


async def knock_at(person, jid):
    return {name: await person.ask(kind, jid, payload(person)) for name, (kind, payload) in KNOCKS.items()}


@step(STRANGER, "reading, setting and looking around, he gets the answers of a thing that does not exist")
async def knock(stage):
    there = await knock_at(stage.stranger, stage.door(KEPT_BACK))
    nowhere = await knock_at(stage.stranger, stage.door("nothing.here"))
    for name, answer in there.items():
        must(answer.type == "error", f"{name} was answered: {answer}")
        must(stage.house.seen_by_strangers(answer) == stage.house.seen_by_strangers(nowhere[name]), f"{name} can be told apart:\n{answer}\n{nowhere[name]}")
    return f"{there['read'].condition[1]}, {len(there)} times"


@step(STRANGER, "Anna, friend of the other things, is a stranger to the pump")
async def knock_as_friend(stage):
    answers = list((await knock_at(stage.anna, stage.door(KEPT_BACK))).values())
    must(all(it.type == "error" for it in answers), f"she was answered: {[str(it) for it in answers]}")
    return str(answers[0].condition[1])


@step(STRANGER, "nothing was switched")
async def nothing_switched(stage):
    seen = KEPT_BACK.look(stage.house)
    must(seen == "false", f"{KEPT_BACK.tool} sees {seen}")
    return f"{KEPT_BACK.tool} sees the pump off"
