/* Every bound on what outsiders can make us keep or do, one line each with its reason. */
#pragma once

enum {
	LIMIT_STANZA_DEPTH = 40,          /* deeper than any protocol we speak; deep trees crash recursive readers */
	LIMIT_STANZA_ELEMENTS = 2000,     /* a full XEP-0325 form of a large device has a few hundred */
	LIMIT_STANZA_BYTES = 64 * 1024,   /* names, attributes and text of one incoming stanza */
	LIMIT_STANZA_PREFIXES = 64,       /* xmlns:x='' of one incoming stanza: each use of a prefix looks through them */
	LIMIT_XML_TOKEN = 2 * 1024 * 1024, /* a tag that does not end; servers let through 0.5 MiB, expat would keep all of it */
	LIMIT_STANZA_OUT = 100 * 1024,    /* Prosody closes above 512 KiB, c2s above 256 KiB; both with room to spare */
	LIMIT_LINK_HIGH = 256 * 1024,     /* unsent bytes above which we stop reading and coalesce notifications */
	LIMIT_LINK_CAP = 4 * 1024 * 1024, /* unsent bytes above which notifications are dropped, answers never */
	LIMIT_JID = 3071,                 /* RFC 7622: three parts of 1023 and two separators */
	LIMIT_JID_PART = 1023,
	LIMIT_ID = 1023,                    /* of a stanza: each answer carries it, and escaped it may be six times as long */
	LIMIT_SEQNR = 32,                   /* bytes of the number of a read, which its answers carry */
	LIMIT_NAME = 256,                   /* label of a thing or point, claimed or registered */
	LIMIT_FRIENDS = 1000,               /* roster items per thing */
	LIMIT_PENDING = 100,                /* undecided requests per thing: strangers make them */
	LIMIT_REQUEST_PARTS = 1000,         /* points one wish may touch */
	LIMIT_WISHES = 1000,                /* wishes in flight in the whole gateway */
	LIMIT_WISHES_THING = 50,            /* and per thing, so that one requestor cannot use all of them */
	LIMIT_RECALLS = 100,                /* reads of the past under way: each looks at many samples a turn */
	LIMIT_RECALLS_FRIEND = 4,           /* and of one friend */
	LIMIT_QUEUE_BUS = 1000,             /* requests waiting for one bus */
	LIMIT_JOURNAL_RECORD = 1024 * 1024, /* bytes of history that are written to disk at once */
	LIMIT_PAYLOAD = 64 * 1024,          /* MQTT payload or CoAP body that is looked at */
	LIMIT_LEAVES = 100,                 /* values of one message that a tool proposes as points: nobody reads more */
	LIMIT_TEXT_VALUE = 4096,            /* bytes of a text value that is kept and shown */
	LIMIT_CONF_FILE = 64 * 1024 * 1024, /* bytes of one configuration file */
	LIMIT_CONF_ERRORS = 200,            /* errors shown at once */
	LIMIT_FOUND = 2000,                 /* devices that one bus tells of: whoever may write to a broker makes them */
	LIMIT_FOUND_KEY = 512,              /* bytes of what the bus calls one of them */
	LIMIT_FOUND_BLOCK = 64 * 1024,      /* bytes of its description: some hundred points */
	LIMIT_FOUND_SOURCES = 20000,        /* messages of discovery that are remembered per broker: 49 devices have had 1104 */
	LIMIT_FOUND_BYTES = 32 * 1024 * 1024, /* of what such messages said, per broker: ten thousand points have about ten */
	LIMIT_FOUND_POINTS = 200,           /* points of a device that is found */
	LIMIT_FOUND_TEXT = 512,             /* bytes of one text in such a message: topics, names, templates */
	LIMIT_FOUND_WATCHES = 4,            /* topics that say whether a found device is there: its own, its bridge's */
	LIMIT_HEARD = 5000,                 /* topics that a tool listens to at once */
	LIMIT_FOUND_CHOICES = 100,          /* words of a selection */
	LIMIT_UNITS = 1000,                 /* devices that one block of the configuration makes */
	LIMIT_CLAIMS_MINUTE = 10,           /* claims with a wrong key, per bare JID and minute (siot S10) */
	LIMIT_LISTS_MINUTE = 120,           /* listings of the domain that the users of one server get: each looks at all things */
	LIMIT_ASKS_MINUTE = 5000,           /* requests for friendship that the users of one server can make us look at */
	LIMIT_LOG_MINUTE = 30,              /* log lines a minute that outsiders can cause */
	LIMIT_LOG_KEPT = 500,               /* lines of the log kept in memory, of at most 512 bytes */
	LIMIT_CONTROL_CLIENTS = 16,         /* words of the command line at once: all are people of this machine */
	LIMIT_CONTROL_LINE = 16 * 1024,     /* bytes of a request of the command line: a text value escaped */
	LIMIT_CONTROL_ARGS = 100,           /* of a request: points that are watched at once */
	LIMIT_CONTROL_OUT = 64 * 1024,      /* unsent bytes for one client above which nothing is written; and per turn */
	LIMIT_QUERIES_HOUR = 20,            /* is-friend queries one requestor may cause per thing and hour (S39) */
	LIMIT_OWNER_PENDING = 1000,         /* pending requests listed for one owner */
	LIMIT_KEY = 128,                    /* bytes of a claim key as it is sent; 29 are usual */
	LIMIT_KEY_LEAST = 8,                /* symbols of a key: below, even ten guesses a minute would do (S4) */
	LIMIT_REGISTRATIONS = 250000,       /* things the service keeps: anybody can register */
	LIMIT_DOMAIN = 125000,              /* and of one domain, so that one stranger's server cannot use all of them */
	LIMIT_LANGUAGES = 20,               /* of a registered name */
	LIMIT_GROUP = 1000,                 /* things of one device, claimed by one key */
	LIMIT_DENIED = 1000,                /* refusals kept per thing; above, a no only ends the friendship */
	LIMIT_CHANGES = 50000,              /* changes waiting for the service's disk */
	LIMIT_CHANGES_THING = 50,           /* and per thing */
	LIMIT_UPDATE = 1000,                /* decisions one friend-state-update may cause */
	LIMIT_NOTICES_MINUTE = 5,           /* notifications one owner gets; above, they are merged (S39) */
	LIMIT_WORDS_MINUTE = 30,            /* chat lines answered per bare JID: two robots must not talk for ever */
	LIMIT_PENDING_DAYS = 30,            /* an undecided request is forgotten; the requestor's server asks again */
	LIMIT_DENIED_DAYS = 365,            /* so is a refusal: he still is no friend, and may ask again */
};
