/*
 * Finds the provisioning service when the configuration names none (siot S31): the one entity with the feature
 * urn:xmpp:siot:1 among the server's items (XEP-0030). One match is it; none or several, and nobody is asked: nobody decides = no.
 * Once per process, asked anew after each connect until it is found. Loop thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct things;

struct siot_find {        /* member of struct things; zero it */
	char *from;       /* account that asks, NULL: the domain */
	char *match;      /* the first that fits */
	size_t n;         /* that fit */
	size_t open;      /* answers to come */
	int64_t again_ms; /* an account that logs in before does not ask the same once more */
};

void siot_find_begin(struct things *t, const char *local); /* nothing if a service is known or a search is under way */
void siot_find_end(struct things *t);                      /* after the asks were dropped */
