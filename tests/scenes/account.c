/* Accounts mode before anything is encrypted, against a server that says what the scene needs. Hours pass by loop_skip. */
#include "core/xmpp/account.h"
#include "core/base/mem.h"
#include "core/base/text.h"
#include "tests/peers/xmpp_server.h"
#include "tests/unit/services.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEADER                                                                                                         \
	"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "   \
	"id='1' from='b.example' version='1.0'>"
#define STARTTLS_OFFER                                                                                                 \
	"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define PROCEED  "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

struct host { /* what stands above the link */
	struct loop *loop;
	struct server *server;
	struct house *house;
	struct conf_xmpp settings;
	struct link *link;
	struct log log;
	FILE *file;
	char *written;
	size_t written_size;
	char password_file[64];
	size_t n_up, n_down, n_closed;
	struct err why;
};

static struct host host;

static void on_up(void *ctx, const char *local)
{
	struct host *h = ctx;
	cr_assert_not_null(local);
	h->n_up++;
}

static void on_down(void *ctx, const char *local, const struct err *why)
{
	struct host *h = ctx;
	cr_assert_not_null(local);
	h->n_down++;
	h->why = *why;
}

static void on_stanza(void *ctx, struct element *stanza)
{
	(void)ctx, (void)stanza;
	cr_assert(false, "nobody is logged in");
}

static void on_closed(void *ctx)
{
	struct host *h = ctx;
	h->n_closed++;
}

static void write_password(void)
{
	snprintf(host.password_file, sizeof(host.password_file), "/tmp/jidgate-account-XXXXXX");
	int fd = mkstemp(host.password_file);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "pw\n", 3), 3);
	close(fd);
}

static void add_things(struct house *h, size_t n)
{
	struct device *d = mem_new(sizeof(*d));
	*d = (struct device){ .id = mem_text("meter") };
	names_add(&d->names, "", "Meter");
	h->devices = mem_array(1, sizeof(*h->devices));
	h->devices[h->n_devices++] = d;
	d->points = mem_array(n, sizeof(*d->points));
	for (size_t i = 0; i < n; i++) {
		struct point *p = mem_new(sizeof(*p));
		*p = (struct point){ .id = mem_format("p%zu", i), .type = TYPE_REAL, .decimals = -1, .device = d };
		p->password_file = mem_text(host.password_file);
		names_add(&p->names, "", "Power");
		d->points[d->n_points++] = p;
	}
	cr_assert_eq(house_make_things(h, NULL), 0);
}

static void begin_with(size_t n)
{
	static const struct link_events events = { on_up, on_down, on_stanza, on_closed };
	host = (struct host){ 0 };
	write_password();
	host.file = open_memstream(&host.written, &host.written_size);
	log_init(&host.log, LOG_LEVEL_INFO, host.file);
	host.loop = loop_new();
	host.server = server_new(host.loop, "");
	host.server->scripted = true;
	host.house = house_new();
	add_things(host.house, n);
	host.settings = (struct conf_xmpp){
		.mode = MODE_ACCOUNTS,
		.domain = mem_text("B.example"),
		.host = mem_text("127.0.0.1"),
		.port = host.server->port,
		.threads = 2,
	};
	host.link = account_new("xmpp", &host.settings, host.house, host.loop, &host.log, &events, &host);
}

static void begin(void)
{
	begin_with(1);
}

static void begin_many(void)
{
	begin_with(30);
}

static bool is_closed(void *ctx)
{
	const struct host *h = ctx;
	return h->n_closed > 0;
}

static void end(void)
{
	if (host.n_closed == 0) {
		link_close(host.link);
		cr_assert(server_wait(host.server, is_closed, &host));
	}
	cr_assert_eq(host.n_closed, 1);
	cr_assert_eq(host.n_up, 0);
	link_free(host.link);
	server_free(host.server);
	house_free(host.house);
	loop_free(host.loop); /* dies if a handle is left */
	log_end(&host.log);
	fclose(host.file);
	free(host.written); /* memory of the C library */
	mem_free(host.settings.domain);
	mem_free(host.settings.host);
	unlink(host.password_file);
}

static size_t n_logged(const char *fragment)
{
	size_t n = 0;
	log_end(&host.log);
	fflush(host.file);
	for (const char *at = host.written ? host.written : ""; (at = strstr(at, fragment)); at += strlen(fragment))
		n++;
	return n;
}

static bool was_down(void *ctx)
{
	const struct host *h = ctx;
	return h->n_down > 0;
}

static void fails(const char *why)
{
	cr_assert(server_wait(host.server, was_down, &host), "the login goes on");
	cr_assert_not_null(strstr(host.why.text, why), "%s", host.why.text);
	cr_assert_not(link_up(host.link, "meter.p0"));
	cr_assert_not(link_up(host.link, NULL));
	cr_assert_null(link_begin(host.link, "meter.p0", true));
	host.n_down = 0;
}

static void connects(size_t n)
{
	cr_assert(server_wait_connection(host.server, n), "connection %zu did not come", n);
	cr_assert(server_hears(host.server, "<stream:stream version='1.0' xmlns='jabber:client'"));
	cr_assert(server_hears(host.server, "to='b.example'"));
}

static void open_and_hear(const char *said)
{
	link_open(host.link);
	connects(1);
	server_say(host.server, said);
}

TestSuite(account, .init = begin, .fini = end, .timeout = 60);

Test(account, opens_and_closes_without_a_word)
{
	link_open(host.link);
	cr_assert_eq(host.n_up + host.n_down, 0, "opening says nothing by itself");
	link_close(host.link);
	cr_assert(server_wait(host.server, is_closed, &host));
	cr_assert_eq(host.n_down, 0);
}

Test(account, is_closed_in_the_middle_of_a_login)
{
	open_and_hear(HEADER STARTTLS_OFFER);
	cr_assert(server_hears(host.server, STARTTLS));
	link_close(host.link);
	cr_assert(server_wait(host.server, is_closed, &host));
	cr_assert_eq(host.n_down, 0);
}

Test(account, asks_dns_where_the_server_of_the_domain_is)
{
	host.settings.host[0] = '\0';
	host.settings.port = 1;
	services_begin(2);
	services_add(0, 0, (unsigned)host.server->port, "\x9localhost");
	services_add(9, 0, 1, "\x9localhost");
	link_open(host.link);
	connects(1);
	cr_assert_str_eq(services_asked, "_xmpp-client._tcp.b.example");
}

Test(account, goes_to_the_domain_itself_when_dns_knows_no_server)
{
	host.settings.host[0] = '\0';
	link_open(host.link);
	fails("cannot resolve 'b.example'");
}

Test(account, is_closed_while_dns_is_asked)
{
	host.settings.host[0] = '\0';
	services_wait = true;
	link_open(host.link);
	link_close(host.link);
	cr_assert(server_wait(host.server, is_closed, &host));
	cr_assert_eq(host.n_down, 0);
	sem_post(&services_gate);
}

Test(account, tries_the_next_address)
{
	host.settings.host[0] = '\0';
	services_begin(2);
	services_add(0, 0, 1, "\x9localhost");
	services_add(9, 0, (unsigned)host.server->port, "\x9localhost");
	link_open(host.link);
	for (int i = 0; i < 4 && !host.server->n_connections; i++) {
		fails("Connection refused");
		loop_skip(host.loop, 10000);
		server_settle(host.server);
	}
	connects(1);
}

Test(account, says_why_it_cannot_connect)
{
	server_close_port(host.server);
	link_open(host.link);
	fails("Connection refused");
	cr_assert_eq(n_logged("<4>xmpp: away: cannot connect to 127.0.0.1 port"), 1);
}

Test(account, tries_again)
{
	open_and_hear("</stream:stream>");
	fails("well-formed");
	loop_skip(host.loop, 61000);
	connects(2);
}

Test(account, sends_nothing_but_starttls_unencrypted)
{
	open_and_hear(HEADER STARTTLS_OFFER);
	cr_assert(server_hears(host.server, STARTTLS));
	server_settle(host.server);
	cr_assert_null(strstr(host.server->heard.data, "pw"));
	cr_assert_null(strstr(host.server->heard.data, "meter"));
	cr_assert_str_eq(strstr(host.server->heard.data, "<starttls"), STARTTLS, "that was the last it said");
}

Test(account, does_not_log_in_without_tls)
{
	open_and_hear(HEADER "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
			     "<mechanism>PLAIN</mechanism></mechanisms></stream:features>");
	fails("the server offers no TLS");
	cr_assert_eq(n_logged("<3>xmpp: away: the server offers no TLS"), 1);
	cr_assert_null(strstr(host.server->heard.data, "auth"));
}

Test(account, does_not_log_in_when_tls_is_refused)
{
	open_and_hear(HEADER STARTTLS_OFFER "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>");
	fails("the server refuses TLS");
}

Test(account, does_not_log_in_where_something_else_answers)
{
	open_and_hear(HEADER STARTTLS_OFFER PROCEED);
	cr_assert(server_hears(host.server, "\x16\x03\x01"), "the TLS handshake begins");
	server_say(host.server, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
	fails("the TLS handshake failed");
}

/* libstrophe ends the process here: it looks for the next of no child. */
Test(account, survives_an_empty_stream_error)
{
	open_and_hear(HEADER "<stream:error/>");
	fails("the server closed the stream (undefined-condition)");
}

Test(account, says_what_the_server_says)
{
	open_and_hear(HEADER "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
			     "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>not\there</text></stream:error>");
	fails("the server does not serve this domain (host-unknown: not?here)");
	cr_assert_eq(n_logged("<3>xmpp: away: the server does not serve this domain"), 1);
	loop_skip(host.loop, 110000);
	server_settle(host.server);
	cr_assert_eq(host.server->n_connections, 1, "haste would not help");
	loop_skip(host.loop, 80000);
	connects(2);
}

Test(account, ends_with_a_server_that_says_too_much_before_tls)
{
	static char blanks[64 * 1024];
	memset(blanks, ' ', sizeof(blanks));
	open_and_hear(HEADER);
	for (int i = 0; i < 5; i++)
		server_say_n(host.server, blanks, sizeof(blanks));
	fails("too much");
}

Test(account, is_not_stopped_by_depth_or_breadth_before_tls)
{
	struct text t = { 0 };
	for (int i = 0; i < 30000; i++)
		text_add(&t, "<a>");
	open_and_hear(HEADER);
	server_say_n(host.server, t.data, t.size);
	server_hang_up(host.server);
	fails("the login");
	text_free(&t);
}

Test(account, gives_a_silent_tls_handshake_up)
{
	open_and_hear(HEADER STARTTLS_OFFER PROCEED);
	cr_assert(server_hears(host.server, "\x16\x03\x01"), "the TLS handshake begins");
	server_settle(host.server);
	cr_assert_eq(host.n_down, 0);
	loop_skip(host.loop, 31000);
	fails("the login takes too long");
	cr_assert_lt(loop_longest_turn(host.loop), 50);
	loop_skip(host.loop, 61000);
	connects(2);
}

Test(account, gives_a_silent_server_up)
{
	link_open(host.link);
	connects(1);
	loop_skip(host.loop, 31000);
	fails("the login takes too long");
}

Test(account, says_which_password_file_is_not_there)
{
	unlink(host.password_file);
	link_open(host.link);
	fails("password_file");
	cr_assert_eq(n_logged("<3>xmpp: thing 'meter.p0' is away: password_file"), 1);
	cr_assert_eq(host.server->n_connections, 0);
}

TestSuite(accounts, .init = begin_many, .fini = end, .timeout = 60);

Test(accounts, say_one_trouble_of_the_server_once_for_all)
{
	server_close_port(host.server);
	link_open(host.link);
	while (host.n_down < 30)
		cr_assert(loop_turn(host.loop));
	cr_assert_eq(n_logged("xmpp: away: "), 1);
	cr_assert_eq(n_logged("is away"), 0);
}

static void check(size_t n, const char *wanted)
{
	struct err e = { "" };
	struct house *h = house_new();
	add_things(h, n);
	cr_assert_eq(account_check(h->things.n, &e), wanted ? -1 : 0, "%s", e.text);
	cr_assert(!wanted || strstr(e.text, wanted), "%s", e.text);
	house_free(h);
}

Test(account_check, refuses_more_than_libstrophe_can_take)
{
	check(100, NULL);
	check(901, "901 things are too many for accounts mode, which can have 900");
}

Test(account_check, refuses_more_than_the_process_may_open)
{
	struct rlimit few = { 150, 150 };
	check(60, NULL);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	check(60, "60 things in accounts mode need 160 file descriptors, the limit is 150 (LimitNOFILE)");
	check(40, NULL);
}
