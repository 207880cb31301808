"""The stage on which the story is played: the site, its people, and the list of steps that the chapters fill."""
from .actors import Actor
from .boiler_house import SPOTS
from .waiting import Failed

STORY = []  # (chapter, sentence, function), in order
KEPT_BACK = next(spot for spot in SPOTS if spot.local == "boiler.pump")  # nobody but the owner gets this one


def step(chapter, sentence):
    def add(function):
        STORY.append((chapter, sentence, function))
        return function
    return add


def must(holds, otherwise):
    if not holds:
        raise Failed(otherwise)


class Stage:
    """The site and the people on it."""

    def __init__(self, house):
        self.house = house
        self.owner, self.anna, self.stranger = (self._person(name) for name in ("owner", "anna", "stranger"))
        self.labels = {}

    def _person(self, name):
        return Actor.client(self.house.person(name), self.house.passwords[name], self.house.server.ports["c2s"])

    @property
    def people(self):
        return self.owner, self.anna, self.stranger

    @property
    def shared(self):
        return [spot for spot in SPOTS if spot is not KEPT_BACK]

    def jid(self, spot):
        return self.house.jid(getattr(spot, "local", spot))

    def door(self, spot):
        return self.house.door(getattr(spot, "local", spot))

    async def __aenter__(self):
        for person in self.people:
            await person.come_online()
        return self

    async def __aexit__(self, *_):
        for person in self.people:
            await person.leave()


async def play(stage, tell, last_too=True):
    """Every step in order; tell(chapter, sentence, seen, failure) hears of each. True if all held."""
    chapters = list(dict.fromkeys(chapter for chapter, _, _ in STORY))
    for chapter, sentence, function in STORY:
        if chapter == chapters[-1] and not last_too:
            break
        try:
            seen = await function(stage)
        except Failed as e:
            tell(chapter, sentence, None, e)
            return False
        tell(chapter, sentence, seen, None)
    return True
