#include "core/gateway.h"

#include "core/base/mem.h"
#include "core/base/text.h"
#include "core/buses.h"
#include "core/control/control.h"
#include "core/history.h"
#include "core/loop/local.h"
#include "core/provisioner/provisioner.h"
#include "core/reload.h"
#include "core/report.h"
#include "core/request.h"
#include "core/turns.h"
#include "core/watchdog.h"
#include "core/xmpp/account.h"
#include "core/xmpp/siot.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Start: control socket, store, who the things are, link, buses, provisioning service. READY comes when XMPP has shaken hands and every bus
 * has answered once, up or away. Stop: things say goodbye, buses close, links close, what was to be kept is on disk.
 */

static const int64_t STOP_MS = 8000;

struct gateway {
	struct conf *conf;
	struct log *log;
	struct loop *loop;
	struct store *store;
	struct gate gate;
	struct link *link;
	struct things things;
	struct requests requests;
	struct history history;
	struct turns turns;
	struct buses buses;
	struct reload reload;
	struct provisioner *provisioner;
	struct control control;
	struct watchdog watchdog;
	struct timer stop_deadline;
	bool link_was_up, provisioner_was_up;
	bool ready, stopping;
	size_t open; /* links, buses and services that have not said closed */
};

static void tell_state(struct gateway *g)
{
	char status[160];
	size_t things = g->conf->house ? g->conf->house->things.n : 0;
	bool up = (!g->link || g->link_was_up) && (!g->provisioner || g->provisioner_was_up);
	if (g->stopping)
		return;
	snprintf(status, sizeof(status), "%s; %zu of %zu buses up; %zu things", up ? "XMPP up" : "waiting for XMPP",
		 buses_count(&g->buses, buses_up), g->buses.n, things);
	watchdog_status(&g->watchdog, status);
	if (g->ready || !up || buses_count(&g->buses, buses_answered) < g->buses.n)
		return;
	g->ready = true;
	watchdog_ready(&g->watchdog);
	log_info(g->log, "ready: %s", status);
}

static void on_sample(void *ctx, struct point *p, enum news news)
{
	struct gateway *g = ctx;
	turns_seen(&g->turns, p);
	report_sample(&g->things, p, news);
	control_news(&g->control, p);
}

static void closed_one(struct gateway *g)
{
	if (--g->open == 0)
		loop_stop(g->loop);
}

static void on_bridge_state(void *ctx, struct bridge *b)
{
	struct gateway *g = ctx;
	if (b->state == BRIDGE_CLOSED)
		closed_one(g);
	else
		tell_state(g);
}

static void on_found(void *ctx, struct bridge *b, const char *key, const char *block)
{
	struct gateway *g = ctx;
	reload_found(&g->reload, b->bus->id, key, block);
}

static const struct bridge_events bridge_events = { on_sample, on_bridge_state, on_found };

static void note_link(struct gateway *g)
{
	bool up = link_up(g->link, NULL);
	history_away(&g->history, !up);
	g->link_was_up |= up;
	tell_state(g);
}

static void on_link_up(void *ctx, const char *local)
{
	struct gateway *g = ctx;
	things_up(&g->things, local);
	note_link(g);
}

static void on_link_down(void *ctx, const char *local, const struct err *why)
{
	struct gateway *g = ctx;
	(void)why;
	things_down(&g->things, local);
	note_link(g);
}

static void on_stanza(void *ctx, struct element *stanza)
{
	struct gateway *g = ctx;
	things_take(&g->things, stanza);
}

static void on_link_closed(void *ctx)
{
	closed_one(ctx);
}

static const struct link_events link_events = { on_link_up, on_link_down, on_stanza, on_link_closed };

static void on_provisioner_up(void *ctx)
{
	struct gateway *g = ctx;
	g->provisioner_was_up = true;
	if (g->link)
		siot_again(&g->things); /* it may be the service of our own things */
	tell_state(g);
}

static const struct provisioner_events provisioner_events = { on_provisioner_up, NULL, on_link_closed };

static void on_change(void *ctx)
{
	struct gateway *g = ctx;
	history_attach(&g->history, g->conf->house);
	control_changed(&g->control);
}

static void on_reload(void *ctx, bool busy)
{
	struct gateway *g = ctx;
	if (g->ready && !g->stopping)
		(busy ? watchdog_reloading : watchdog_ready)(&g->watchdog);
	tell_state(g);
}

static void reload(void *ctx, int signum)
{
	struct gateway *g = ctx;
	(void)signum;
	if (g->link)
		reload_ask(&g->reload, NULL, NULL);
	else
		log_warn(g->log, "reload: a provisioning service alone has nothing that can be changed while it runs");
}

static void give_up_waiting(void *ctx)
{
	struct gateway *g = ctx;
	log_warn(g->log, "%zu parts did not close in time", g->open);
	loop_stop(g->loop);
}

static void stop(void *ctx, int signum)
{
	struct gateway *g = ctx;
	if (g->stopping)
		return;
	g->stopping = true;
	log_info(g->log, "stopping (%s)", signum == SIGTERM ? "SIGTERM" : "SIGINT");
	watchdog_stopping(&g->watchdog);
	control_close(&g->control);
	timer_set(g->loop, &g->stop_deadline, STOP_MS, give_up_waiting, g);
	if (g->link)
		reload_stop(&g->reload);
	g->open = g->buses.n + (g->link != NULL) + (g->provisioner != NULL);
	if (g->link)
		things_leave(&g->things);
	buses_stop(&g->buses);
	if (g->link)
		link_close(g->link);
	if (g->provisioner)
		provisioner_close(g->provisioner);
}

static bool is_alive(void *ctx)
{
	const struct gateway *g = ctx;
	return buses_alive(&g->buses);
}

static void load_found(void *ctx, const char *const *values)
{
	found_load(&((struct gateway *)ctx)->reload.found, values);
}

/* What buses have told of stands beside what is in the files. */
static int bring_up(struct gateway *g, struct store *at_once, struct err *e)
{
	found_begin(&g->reload.found, g->log);
	if (store_each(at_once, STORE_FOUNDS, load_found, g, e) < 0)
		return -1;
	reload_found_before(&g->reload, g->conf, g->log);
	return gate_prepare(g->conf->house, at_once, e);
}

static struct control_link figures_of(const struct link *l)
{
	if (!l)
		return (struct control_link){ 0 };
	return (struct control_link){ .there = true,
				      .up = link_up(l, NULL),
				      .since_ms = l->counts.since_ms,
				      .why = l->counts.why.text,
				      .domain = l->domain,
				      .ups = l->counts.ups,
				      .taken = l->counts.taken,
				      .sent = l->counts.sent };
}

static size_t count_accounts(const struct gateway *g)
{
	const struct thing *t;
	size_t n = 0;
	for (size_t at = 0; (t = map_next(&g->conf->house->things, &at));)
		n += link_up(g->link, t->local);
	return n;
}

static void show_figures(void *ctx, struct control_figures *ret)
{
	const struct gateway *g = ctx;
	*ret = (struct control_figures){ .things = figures_of(g->link),
					 .provisioner = figures_of(provisioner_link(g->provisioner)),
					 .wishes = g->requests.counts,
					 .wishes_open = g->requests.n,
					 .notifications = g->things.n_told,
					 .registrations = provisioner_count(g->provisioner),
					 .service_fails = g->things.service_fails,
					 .ready = g->ready };
	if (g->link && g->link->accounts)
		ret->things.accounts = count_accounts(g);
}

static void ask_reload(void *ctx, void (*done)(void *done_ctx, int status, const char *report), void *done_ctx)
{
	reload_ask(&((struct gateway *)ctx)->reload, done, done_ctx);
}

static void reset(void *ctx, struct thing *t)
{
	struct gateway *g = ctx;
	siot_reset(&g->things, t);
}

static void forget(void *ctx, const struct thing *orphan)
{
	struct gateway *g = ctx;
	siot_forget(&g->things, orphan);
}

/* Without it the gateway works, but nobody can look at it. */
static int open_control(struct gateway *g, struct err *e)
{
	struct err why;
	g->control = (struct control){ .conf = g->conf,
				       .gate = g->conf->house ? &g->gate : NULL,
				       .loop = g->loop,
				       .log = g->log,
				       .figures = show_figures,
				       .wish = request_take,
				       .wish_ctx = &g->requests,
				       .reload = g->conf->house ? ask_reload : NULL,
				       .reset = reset,
				       .forget = forget,
				       .ctx = g };
	int fault = control_open(&g->control, &why);
	if (fault == LOCAL_TAKEN)
		return err_set(e, "control: %s", why.text);
	if (fault)
		log_warn(g->log, "control: %s: status, things, log and the like cannot ask this daemon", why.text);
	return 0;
}

static int open_store(struct gateway *g, struct err *e)
{
	/* new things get their keys before anything is said: at once, with a store that waits for the disk */
	struct store *at_once = store_open(g->conf->gateway.state, NULL, e);
	if (!at_once)
		return -1;
	int bad = g->conf->house ? bring_up(g, at_once, e) : 0;
	store_close(at_once);
	if (bad)
		return -1;
	g->store = store_open(g->conf->gateway.state, g->loop, e);
	return g->store ? 0 : -1;
}

static int open_gate(struct gateway *g, struct err *e)
{
	char service[JID_BARE_ROOM];
	const char *wanted = g->conf->provisioning.service;
	if (wanted && jid_bare(wanted, service) < 0)
		return err_set(e, "provisioning: service: '%s' is not a JID", wanted);
	g->gate = (struct gate){ .house = g->conf->house,
				 .store = g->store,
				 .loop = g->loop,
				 .log = g->log,
				 .service = wanted ? mem_text(service) : NULL,
				 .server_roster = g->conf->xmpp.mode == MODE_ACCOUNTS };
	return gate_load(&g->gate, e);
}

static struct link *new_component(struct gateway *g, struct err *e)
{
	(void)e;
	return component_new("xmpp", &g->conf->xmpp, g->loop, g->log, &link_events, g);
}

static struct link *new_accounts(struct gateway *g, struct err *e)
{
	if (account_check(g->conf->house->things.n, e) < 0)
		return NULL;
	return account_new("xmpp", &g->conf->xmpp, g->conf->house, g->loop, g->log, &link_events, g);
}

static struct link *(*const link_makers[])(struct gateway *g, struct err *e) = {
	[MODE_COMPONENT] = new_component,
	[MODE_ACCOUNTS] = new_accounts,
};

static void make_buses(struct gateway *g)
{
	g->buses = (struct buses){
		.house = g->conf->house, .loop = g->loop, .log = g->log, .events = &bridge_events, .ctx = g
	};
	buses_make(&g->buses);
}

static void make_reload(struct gateway *g)
{
	g->reload.conf = g->conf;
	g->reload.loop = g->loop;
	g->reload.log = g->log;
	g->reload.gate = &g->gate;
	g->reload.things = &g->things;
	g->reload.buses = &g->buses;
	g->reload.on_change = on_change;
	g->reload.on_state = on_reload;
	g->reload.ctx = g;
	reload_begin(&g->reload);
}

static int make_gateway(struct gateway *g, struct err *e)
{
	g->turns = (struct turns){ g->store, g->loop };
	if (open_gate(g, e) < 0 || turns_load(&g->turns, g->conf->house, e) < 0)
		return -1;
	g->link = link_makers[g->conf->xmpp.mode](g, e);
	if (!g->link)
		return -1;
	g->things = (struct things){ .link = g->link,
				     .house = g->conf->house,
				     .gate = &g->gate,
				     .loop = g->loop,
				     .log = g->log,
				     .language = g->conf->gateway.language,
				     .names = &g->conf->gateway.names,
				     .wish = request_take,
				     .wish_ctx = &g->requests };
	history_begin(&g->history, &g->conf->gateway, g->conf->house, g->loop, g->log);
	request_begin(&g->requests, g->loop);
	things_begin(&g->things);
	make_buses(g);
	make_reload(g);
	return 0;
}

static int make_all(struct gateway *g, struct err *e)
{
	if (open_control(g, e) < 0 || open_store(g, e) < 0)
		return -1;
	if (g->conf->house && make_gateway(g, e) < 0)
		return -1;
	if (!g->conf->provisioner.given)
		return 0;
	g->provisioner = provisioner_open(&g->conf->provisioner, g->store, g->loop, g->log, &provisioner_events, g, e);
	return g->provisioner ? 0 : -1;
}

static void start(struct gateway *g)
{
	loop_on_signal(g->loop, SIGTERM, stop, g);
	loop_on_signal(g->loop, SIGINT, stop, g);
	loop_on_signal(g->loop, SIGHUP, reload, g);
	watchdog_begin(&g->watchdog, g->loop, is_alive, g);
	if (g->link)
		link_open(g->link);
	buses_start(&g->buses);
	tell_state(g);
	loop_run(g->loop);
}

/* Something does not close. Its memory and threads are in use: what was to be kept is kept, the rest is left to the kernel. */
static void abandon(struct gateway *g)
{
	store_close(g->store);
	log_end(g->log);
	_exit(EXIT_FAILURE);
}

static void free_all(struct gateway *g)
{
	if (g->open)
		abandon(g);
	control_close(&g->control);
	timer_stop(g->loop, &g->stop_deadline);
	watchdog_end(&g->watchdog);
	reload_end(&g->reload);
	if (g->link) {
		things_end(&g->things);
		request_end(&g->requests);
	}
	control_end(&g->control);
	buses_free(&g->buses);
	if (g->link)
		history_end(&g->history);
	if (g->link)
		turns_end(&g->turns, g->conf->house);
	store_close(g->store);
	provisioner_free(g->provisioner);
	if (g->gate.house)
		gate_end(&g->gate);
	link_free(g->link);
	loop_free(g->loop);
}

int gateway_run(struct conf *conf, const struct protocol *const *protocols, struct log *log, struct err *e)
{
	struct gateway g = { .conf = conf, .log = log, .loop = loop_new(), .reload.protocols = protocols };
	int bad = make_all(&g, e);
	if (!bad)
		start(&g);
	free_all(&g);
	return bad;
}
