"""First start, labels, claiming, and the friend request that waits for the owner's word."""
import time

from .boiler_house import SERVICE, SPOTS
from .stage import must, step
from .stanza import SIOT, element
from .waiting import Failed

GATEWAY, CLAIM, SHARE = "The gateway starts", "The owner claims what is his", "Anna asks to be let in"


@step(GATEWAY, "jidgate check reads the configuration")
async def check(stage):
    return stage.house.jidgate.check().splitlines()[-1]


@step(GATEWAY, "jidgate run is ready: connected to the XMPP server, every bus has answered once")
async def start(stage):
    stage.house.jidgate.start()
    stage.house.speak_bedroom()
    stage.house.speak_lamp()
    return f"process {stage.house.jidgate.child.pid}"


@step(GATEWAY, "each thing registers with the provisioning service")
async def register(stage):
    for spot in SPOTS:
        stage.house.jidgate.child.wait_for_line(f"thing '{spot.local}': registered")
    return f"{len(SPOTS)} things"


@step(GATEWAY, "jidgate labels has a key for each thing")
async def label(stage):
    stage.labels = stage.house.jidgate.labels()
    wanted = {stage.jid(spot) for spot in SPOTS}
    must(set(stage.labels) == wanted, f"labels for {sorted(stage.labels)}, not for {sorted(wanted)}")
    without = [jid for jid, it in stage.labels.items() if not it.key]
    must(not without, f"no key for {without}")
    first = stage.labels[stage.jid(SPOTS[0])]
    return f"{len(wanted)} of them; {first.jid} has {first.key}"


@step(CLAIM, "a wrong key is refused without a word about what exists")
async def claim_wrongly(stage):
    answer = await stage.owner.ask("set", SERVICE, element(SIOT, "claim", None, key="AAAA-BBBB-CCCC-DDDD-EEEE-FFFF"))
    must(answer.condition == ("cancel", "item-not-found"), f"the answer was {answer.condition}")
    return "item-not-found"


@step(CLAIM, "the owner claims each thing by the key on its label")
async def claim(stage):
    for jid, it in stage.labels.items():
        claimed = await stage.owner.claim(SERVICE, it.key, it.name)
        must(claimed == [jid], f"the key of {jid} gave {claimed}")
    return f"{len(stage.labels)} things are the owner's"


@step(CLAIM, "the same key does not work for anybody else")
async def claim_again(stage):
    it = stage.labels[stage.jid(SPOTS[0])]
    answer = await stage.stranger.ask("set", SERVICE, element(SIOT, "claim", None, key=it.key))
    must(answer.condition == ("cancel", "item-not-found"), f"the answer was {answer.condition}")
    return "item-not-found, as for a key that never was"


@step(CLAIM, "the owner sees each thing in his contact list, with its value in the status line")
async def watch(stage):
    for spot in SPOTS:
        await stage.owner.befriend(stage.jid(spot))
    spot = SPOTS[0]
    wanted = spot.look(stage.house)
    presence = stage.owner.present[stage.jid(spot)].values()
    status = [it.text_of("status") or "" for it in presence][-1]
    if wanted not in status:
        status = (await stage.owner.expect_presence(
            stage.jid(spot), where=lambda s: wanted in (s.text_of("status") or ""))).text_of("status")
    return f"{spot.local}: {status}"


@step(CLAIM, "the labels show no keys any more")
async def label_again(stage):
    left = [jid for jid, it in stage.house.jidgate.labels().items() if it.key]
    must(not left, f"{left} still show one")
    return "every key field is empty"


@step(SHARE, "before anybody said yes, Anna reads nothing")
async def read_early(stage):
    answer = await stage.anna.refused_read(stage.jid(SPOTS[0]))
    return str(answer.condition[1])


@step(SHARE, "Anna asks to see the things; she hears neither yes nor no, the owner hears of her")
async def ask(stage):
    for spot in stage.shared:
        stage.anna.subscribe(stage.jid(spot))
    nudge = await stage.owner.expect_nudge(SERVICE)
    await stage.anna.ping(SERVICE)
    answers = stage.anna.inbox.seen(lambda s: s.name == "presence" and s.type in ("subscribed", "unsubscribed"))
    must(not answers, f"Anna heard {[s.type for s in answers]}")
    return f"the owner was told: {nudge.text_of('body') or 'pending-friend-notification'}"


async def all_pending(stage):
    """The requests come one after the other, and the owner hears only of the first few at once: he looks until all are there."""
    wanted = {(stage.anna.bare_jid, stage.jid(spot)) for spot in stage.shared}
    end = time.monotonic() + 10
    while time.monotonic() < end:
        waiting = set(await stage.owner.pending(SERVICE))
        if waiting >= wanted:
            return waiting
    raise Failed(f"these requests did not come: {sorted(wanted - waiting)}")


@step(SHARE, "the owner looks at the list of who waits")
async def pending(stage):
    waiting = await all_pending(stage)
    return f"{stage.anna.bare_jid} for {len(waiting)} things"


@step(SHARE, "the owner says yes, and Anna sees the things")
async def accept(stage):
    for spot in stage.shared:
        await stage.owner.decide(SERVICE, friends=[stage.anna.bare_jid], thing=stage.jid(spot))
    for spot in stage.shared:
        await stage.anna.expect_presence(stage.jid(spot), "subscribed")
        await stage.anna.expect_presence(stage.jid(spot))
    return f"{len(stage.shared)} things are online for her"
