/*
 * The system's look-up, played: "two.example" has 127.0.0.2 (where nobody listens) and then 127.0.0.1; "slow.example" waits
 * in the resolver until names_release; all else is asked of the real one. Include in one file of a program.
 */
#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <string.h>

typedef int names_real(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static sem_t names_gate;

static void names_release(int n)
{
	while (n-- > 0)
		sem_post(&names_gate);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	names_real *real;
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (strcmp(host, "slow.example") == 0)
		sem_wait(&names_gate);
	if (strcmp(host, "slow.example") == 0)
		return real("127.0.0.1", service, hints, ret);
	if (strcmp(host, "two.example") != 0)
		return real(host, service, hints, ret);
	int status = real("127.0.0.2", service, hints, ret);
	return status ? status : real("127.0.0.1", service, hints, &(*ret)->ai_next);
}
