/*
 * The system's DNS, played: what services_say gave is the answer to every question for a service; while services_wait is set,
 * it does not come. Include in one file of a program.
 */
#pragma once

#include <arpa/nameser.h>
#include <resolv.h>
#include <semaphore.h>
#include <string.h>

static unsigned char services_answer[1024];
static size_t services_size;
static char services_asked[300];
static bool services_wait;
static sem_t services_gate;

static void services_put(const void *bytes, size_t size)
{
	memcpy(services_answer + services_size, bytes, size);
	services_size += size;
}

static void services_put_16(unsigned n)
{
	const unsigned char bytes[] = { (unsigned char)(n >> 8), (unsigned char)n };
	services_put(bytes, 2);
}

/* An answer to one question, with so many records to come. */
static void services_begin(unsigned n_records)
{
	services_size = 0;
	for (unsigned i = 0; i < 6; i++)
		services_put_16((const unsigned[]){ 1, 0x8180, 1, n_records, 0, 0 }[i]);
	services_put("\1a\0", 3);
	services_put_16(ns_t_srv);
	services_put_16(ns_c_in);
}

/* target: labels, each behind its length, without the last \0 */
static void services_add(unsigned priority, unsigned weight, unsigned port, const char *target)
{
	services_put("\xC0\x0C", 2); /* the name of the question */
	services_put_16(ns_t_srv);
	services_put_16(ns_c_in);
	services_put_16(0);
	services_put_16(60);
	services_put_16((unsigned)(6 + strlen(target) + 1));
	services_put_16(priority);
	services_put_16(weight);
	services_put_16(port);
	services_put(target, strlen(target) + 1);
}

int res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int room)
{
	(void)state, (void)class, (void)type;
	if (services_wait)
		sem_wait(&services_gate);
	strncpy(services_asked, name, sizeof(services_asked) - 1);
	if (!services_size || (size_t)room < services_size)
		return -1;
	memcpy(answer, services_answer, services_size);
	return (int)services_size;
}
