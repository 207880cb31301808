/*
 * What many things or owners are to be told at once - after a connect, or when a gateway with thousands of things comes back -
 * goes out in portions that the link takes. Loop thread.
 */
#pragma once

#include "core/provisioner/inside.h"

enum {
	ATTEND_SUBSCRIBE = 1, /* ask to see its presence: siot section 4 makes us */
	ATTEND_STATE = 2,     /* whose it is and who its friends are (siot S29) */
};

void attend_thing(struct provisioner *p, struct registration *thing, unsigned what);
void attend_up(struct provisioner *p);   /* everybody */
void attend_down(struct provisioner *p); /* nobody is there any more */
