#include "bridges/coaplink.h"
#include "bridges/coapread.h"
#include "core/base/mem.h"
#include "core/cli/propose.h"
#include "core/conf/conf.h"
#include "core/drivers.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What a CoAP device says of itself, as `jidgate discover` prints it. Up to the first zero byte a list of links, then a byte
 * that chooses the Content-Format, then the answer of each resource.
 */

static const int formats[] = { COAPCALL_ANY, 0, 50, 60, 110, 112, 42, 40 };

static void take_link(struct coapfound *found, const struct linkformat_link *l, const struct coapcall_answer *a)
{
	struct coaplink at = { 0 };
	struct coapfound_device *d = NULL;
	struct coapfound_resource *r = NULL;
	coaplink_take("coap://[2001:db8::1]:61616", l, &at);
	if (at.kind == COAPLINK_RESOURCE && (d = coapfound_device(found, at.device.data)))
		r = coapfound_resource(found, d, at.path.data);
	if (r) {
		coapread_describe(r, l);
		coapread_take(r, a);
	}
	coaplink_free(&at);
}

/* Taken as it was meant: nobody can say more than what he is. */
static void check(const struct text *conf, size_t n)
{
	char name[40];
	struct conf c;
	size_t points = 0, lines = 0;
	int fd = memfd_create("conf", 0);
	must(fd >= 0 && write(fd, conf->data, conf->size) == (ssize_t)conf->size);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	const struct protocol **protocols = drivers_protocols();
	int status = conf_load(&c, name, protocols);
	if (status < 0 || c.n_broken)
		fprintf(stderr, "%s\n%s\n", conf->data, c.errors.data);
	must(status == 0 && c.n_broken == 0 && c.house && c.house->n_devices == n);
	for (size_t i = 0; i < n; i++)
		points += c.house->devices[i]->n_points;
	for (const char *at = conf->data; (at = strstr(at, "\n      { id = ")); at++)
		lines++;
	must(points == lines);
	conf_free(&c);
	mem_free(protocols);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *from = (const char *)bytes, *gap = memchr(from, '\0', size);
	struct coapfound found = { 0 };
	struct linkformat_link l;
	struct text conf = { 0 };
	struct err e;
	size_t left = gap ? (size_t)(from + size - gap - 1) : 0;
	if (!left || size > 4096)
		return 0;
	const struct coapcall_answer a = { 205, formats[(uint8_t)gap[1] % 8], gap + 2, left - 1, NULL };
	struct linkformat list = linkformat_of(from, (size_t)(gap - from));
	coapfound_init(&found);
	while (linkformat_next(&list, &l, &e) > 0)
		take_link(&found, &l, &a);
	text_add(&conf, "buses = ( { id = \"b\"; protocol = \"coap\"; } );\n");
	size_t n = propose_devices(&found, "b", NULL, &conf);
	if (n)
		check(&conf, n);
	coapfound_free(&found);
	text_free(&conf);
	return 0;
}
