/*
 * What libmosquitto's numbers mean to an installer. Pure; any thread.
 */
#pragma once

const char *reason_of_error(int code, int error); /* MOSQ_ERR_..., and errno for MOSQ_ERR_ERRNO */
const char *reason_of_refusal(int code);          /* of a CONNACK of version 3.1.1 or 5 */
