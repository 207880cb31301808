/*
 * The observation of a resource (RFC 7641), for those of its points that want it.
 *
 * Happy path: a GET with Observe 0 registers; its answer and each notification, all with one token, are values, taken
 * when they are newer than the one before. Without a message for Max-Age and 5 to 15 s (or for `refresh`) the
 * registration is renewed with the same token.
 * A notification of a body in blocks brings the first; the others are read by GETs with tokens of their own, and a newer
 * notification begins anew (RFC 7959 section 3.4). Nothing is told of it before it is whole.
 * Failure: no answer, or an error: the points become bad, and a new registration with a new token is tried with growing
 * delays. A device that does not observe (no Observe in its answer) is asked again instead, as often as it would be
 * renewed. After a device was restarted its numbers begin anew: the direct answer to our GET is taken whatever its
 * number, unless something came in between.
 *
 * Loop thread.
 */
#pragma once

#include "bridges/coapres.h"

void coapobs_init(struct coapres *res);
void coapobs_listen(struct coapres *res, bool on); /* off: tells the device, if it is registered */

void coapobs_lost(struct coapres *res); /* the device has forgotten it: it is registered again, soon */

/* Hooks of coapres's GETs. */
void coapobs_on_fly(struct coappeer_exchange *x);
void coapobs_on_end(struct coapres *res, struct coappeer_exchange *x, int status, const struct coapmsg_answer *a,
		    const struct err *why);
