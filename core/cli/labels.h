/*
 * `jidgate labels`: what is printed and stuck on a device, so that its owner can claim it: name, JID, key, and as a QR code the
 * message that claims (XEP-0147: xmpp:SERVICE?message;body=claim%20KEY), which his chat app offers to send. From the daemon when it
 * runs, else from its store.
 */
#pragma once

#include "core/base/text.h"
#include "core/cli/cli.h"

struct label {      /* of a thing, or of all things of a device; texts are its own, "" for none */
	char *jid;  /* "" on the label of a device */
	char *name; /* for people */
	char *key;  /* "" when it is owned already */
	char *device, *device_name;
	char *service; /* who is sent the key; "" when not known */
};

struct labels {
	struct label *list;
	size_t n;
};

/* What the QR code says; ret stays empty when there is no key or no service. */
void labels_claim(const struct label *l, struct text *ret);

int labels_run(struct cli *c);
