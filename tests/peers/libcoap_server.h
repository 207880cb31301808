/*
 * libcoap's own example server as a process: somebody else's idea of the protocol. It serves /time (observable),
 * /example_data (1500 bytes until something is written), /async?SECONDS.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct libcoap_server {
	pid_t pid;
	const char *address; /* "127.0.0.1", "::1" */
	int port;            /* of UDP; that of DTLS is the next */
	const char *args[16];
};

/* args: more arguments, borrowed, NULL at the end. It answers when this returns. */
void libcoap_server_begin(struct libcoap_server *s, const char *address, const char *const *args);
void libcoap_server_kill(struct libcoap_server *s);    /* -9 */
void libcoap_server_restart(struct libcoap_server *s); /* on the same ports */

bool libcoap_server_has_ipv6(void); /* may "::1" be its address here? */
