#include "core/cli/run.h"

#include "core/base/mem.h"
#include "core/drivers.h"
#include "core/gateway.h"

static int run_gateway(struct cli *c, struct conf *conf, const struct protocol *const *protocols)
{
	struct log log;
	struct err why;
	log_init(&log, (enum log_level)conf->gateway.log, c->err);
	log_keep(&log);
	conf_log(conf, &log);
	int bad = gateway_run(conf, protocols, &log, &why);
	if (bad)
		log_error(&log, "%s", why.text);
	log_end(&log);
	return bad ? CLI_FAILED : CLI_DONE;
}

int run_run(struct cli *c)
{
	struct conf conf;
	const struct protocol **protocols = drivers_protocols();
	int code = CLI_FAILED;
	if (conf_load(&conf, c->conf, protocols) < 0)
		fputs(conf.errors.data, c->err);
	else if (!conf.house && !conf.provisioner.given)
		cli_fail(c, code, "%s: neither devices nor provisioner: nothing to run", c->conf);
	else if (conf.house && !conf.xmpp.given)
		cli_fail(c, code, "%s: there is no xmpp section: nobody could reach the things", c->conf);
	else
		code = run_gateway(c, &conf, protocols);
	conf_free(&conf);
	mem_free(protocols);
	return code;
}
