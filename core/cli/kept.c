#include "core/cli/kept.h"

#include "core/base/mem.h"
#include "core/conf/build.h"
#include "core/drivers.h"

#include <sys/stat.h>
#include <unistd.h>

/* Files that root makes in the daemon's folder would be closed to the daemon: become who owns the folder. */
static int become_owner(const char *folder, struct err *e)
{
	struct stat there;
	if (geteuid() != 0 || stat(folder, &there) < 0 || there.st_uid == 0)
		return 0;
	if (setgid(there.st_gid) < 0 || setuid(there.st_uid) < 0)
		return err_set(e, "%s: cannot become its owner", folder);
	return 0;
}

/* What buses have told of has things, too; what is wrong with it the daemon says. */
static void take_found(void *ctx, const char *const *values)
{
	struct kept *k = ctx;
	struct found_block block = { mem_text(values[0]), mem_text(values[1]), mem_text(values[2]) };
	const struct bus *bus = house_find_bus(k->conf.house, block.bus);
	const struct protocol *p = bus ? build_protocol(k->protocols, bus->protocol) : NULL;
	if (p && (!p->finds || p->finds(bus)))
		found_build(&k->conf, k->conf.house, &block, k->protocols);
	mem_free(block.bus);
	mem_free(block.key);
	mem_free(block.text);
}

static int open_store(struct kept *k, struct err *e)
{
	const char *folder = k->conf.gateway.state;
	if (become_owner(folder, e) < 0)
		return -1;
	k->store = store_open(folder, NULL, e);
	if (!k->store)
		return -1;
	if (store_each(k->store, STORE_FOUNDS, take_found, k, e) < 0)
		return -1;
	k->gate = (struct gate){ .house = k->conf.house, .store = k->store };
	if (gate_prepare(k->conf.house, k->store, e) < 0)
		return -1;
	return gate_load(&k->gate, e);
}

static int with_store(struct cli *c, struct kept *k, int (*fn)(struct cli *c, struct kept *k))
{
	struct err why;
	int code = open_store(k, &why) < 0 ? cli_fail(c, CLI_FAILED, "%s", why.text) : fn(c, k);
	if (k->gate.house)
		gate_end(&k->gate);
	store_close(k->store);
	return code;
}

int kept_do(struct cli *c, int (*fn)(struct cli *c, struct kept *k))
{
	struct kept k = { .protocols = drivers_protocols() };
	int code = CLI_FAILED;
	if (conf_load(&k.conf, c->conf, k.protocols) < 0)
		fputs(k.conf.errors.data, c->err);
	else if (!k.conf.house || !k.conf.xmpp.given)
		cli_fail(c, code, "%s: there is no %s section", c->conf, k.conf.house ? "xmpp" : "devices");
	else
		code = with_store(c, &k, fn);
	conf_free(&k.conf);
	mem_free(k.protocols);
	return code;
}
