/*
 * Questions to CoAP devices by somebody who is no driver (a tool that looks for devices): GET this path of that peer,
 * and get the whole body, also when it comes in blocks. The same peers, sessions, repetitions and bounds as the driver's.
 *
 * The caller owns the struct from coapask_new to coapask_free; bus, devices and paths are borrowed until then. Each
 * question ends in exactly one call of fn, in a later turn, or is forgotten by coapask_free. Loop thread.
 */
#pragma once

#include "bridges/coapnet.h"
#include "bridges/coaprows.h"

struct coapask;

/* bus: its options, as rows fill them (setting_defaults); NULL when libcoap cannot. */
struct coapask *coapask_new(struct loop *loop, const struct coaprows_bus *bus, struct err *e);

/*
 * device: options of the peer, after coaprows_check_device or with a uri from uri_parse; its address is the peer's name:
 * questions with the same one share a session. path: as uri_check_path allows it, behind that of the uri. accept: a
 * content format or COAPMSG_NO_FORMAT.
 *
 * fn: status REQUEST_DONE: a is the answer with its whole body, valid during the call, whatever its code (205, 404, ...);
 * else a is NULL and why says why. fn may ask again, and may call coapask_free.
 */
void coapask_get(struct coapask *ask, const struct coaprows_device *device, const char *path, int accept,
		 void (*fn)(void *ctx, int status, const struct coapmsg_answer *a, const struct err *why), void *ctx);

struct coapnet *coapask_net(struct coapask *ask); /* for what is no question to one device (coapcast.h) */

/* Forgets what is under way. ended (may be NULL) is called once, now or in a later turn: until then the loop must run
 * and what was borrowed must stay. */
void coapask_free(struct coapask *ask, void (*ended)(void *ctx), void *ctx);
