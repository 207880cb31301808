"""Revocation, a power failure, and the end."""
from .boiler_house import SERVICE
from .stage import KEPT_BACK, must, step

REVOKE, POWER, END = "The owner takes it back", "The power fails", "The end"


@step(REVOKE, "the owner takes the set point back; Anna is told, and sees it go offline")
async def revoke(stage):
    jid = stage.jid("boiler.setpoint")
    await stage.owner.decide(SERVICE, strangers=[stage.anna.bare_jid], thing=jid)
    await stage.anna.expect_presence(jid, "unavailable")
    await stage.anna.expect_presence(jid, "unsubscribed")
    return f"unsubscribed from {jid}"


@step(REVOKE, "Anna's next read and write are refused")
async def refused_now(stage):
    before = stage.house.boiler.get("4", 10)
    answer = await stage.anna.refused_read(stage.jid("boiler.setpoint"))
    await stage.anna.refused_set(stage.jid("boiler.setpoint"), ("double", "Set point", "44"))
    must(stage.house.boiler.get("4", 10) == before, "the device was changed")
    return str(answer.condition[1])


@step(REVOKE, "her other things are still hers")
async def still(stage):
    readout = await stage.anna.read(stage.jid("boiler.temp"))
    return f"temp is {readout['temp']}"


@step(POWER, "jidgate is killed and started again")
async def crash(stage):
    stage.house.jidgate.kill()
    for person in stage.people:
        person.inbox.forget()
    stage.house.jidgate.start()
    return f"process {stage.house.jidgate.child.pid}"


@step(POWER, "the things come back by themselves, for the owner and for Anna")
async def back(stage):
    await stage.owner.expect_presence(stage.jid("boiler.setpoint"))
    await stage.anna.expect_presence(stage.jid("boiler.temp"))
    return f"temp is {(await stage.anna.read(stage.jid('boiler.temp')))['temp']}"


@step(POWER, "owner, friends and refusals are what they were")
async def kept(stage):
    keys = [jid for jid, it in stage.house.jidgate.labels().items() if it.key]
    must(not keys, f"{keys} have a new key: that would be a factory reset")
    await stage.owner.read(stage.jid("boiler.setpoint"))
    await stage.anna.refused_read(stage.jid("boiler.setpoint"))
    await stage.stranger.refused_read(stage.jid(KEPT_BACK))
    return "the owner reads, Anna is still out of the set point, the stranger is a stranger"


@step(END, "asked to stop, jidgate says goodbye and ends with 0")
async def goodbye(stage):
    status = stage.house.jidgate.stop()
    must(status == 0, f"it ended with {status}:\n{stage.house.jidgate.child.tail()}")
    await stage.owner.expect_presence(stage.jid("boiler.temp"), "unavailable")
    return "every thing is offline"
