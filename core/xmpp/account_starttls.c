#include "core/xmpp/account_starttls.h"

#include "core/base/mem.h"
#include "core/xmpp/account_trouble.h"
#include "core/xmpp/parser.h"
#include "core/xmpp/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define TLS_NS "urn:ietf:params:xml:ns:xmpp-tls"

enum { SAID_MOST = 256 * 1024 };

struct account_starttls {
	enum account_starttls_state state;
	const char *domain;
	struct parser *parser;
	struct text out;
	size_t heard;
	const char *word;
	struct err why;
};

static void fail(struct account_starttls *s, const char *word, const char *sentence)
{
	if (s->state != STARTTLS_GOES_ON)
		return;
	s->state = STARTTLS_FAILED;
	s->word = word;
	err_set(&s->why, "%s", sentence);
}

static void take_error(struct account_starttls *s, const struct element *e)
{
	struct err why;
	const struct account_trouble *trouble = account_trouble_read(e, &why);
	fail(s, trouble->word, why.text);
}

static void on_stanza(void *ctx, struct element *e)
{
	struct account_starttls *s = ctx;
	bool features = element_is(e, "features", STREAMS_NS);
	if (s->state != STARTTLS_GOES_ON)
		return;
	if (element_is(e, "error", STREAMS_NS))
		take_error(s, e);
	else if (features && element_child(e, "starttls", TLS_NS))
		writer_raw(&s->out, "<starttls xmlns='" TLS_NS "'/>");
	else if (features)
		fail(s, "no-tls", "the server offers no TLS");
	else if (element_is(e, "proceed", TLS_NS))
		s->state = STARTTLS_DONE;
	else if (element_is(e, "failure", TLS_NS))
		fail(s, "no-tls", "the server refuses TLS");
}

static void on_over(void *ctx, struct element *start)
{
	(void)start;
	fail(ctx, "", "the server says too much before the login");
}

static void on_header(void *ctx, const struct element *header)
{
	(void)ctx, (void)header;
}

static void on_footer(void *ctx)
{
	fail(ctx, "", "the server closed the stream during the login");
}

static const struct parser_events events = { on_header, on_stanza, on_over, on_footer };

struct account_starttls *account_starttls_new(const char *jid)
{
	struct account_starttls *s = mem_new(sizeof(*s));
	s->domain = strchr(jid, '@') + 1;
	s->word = "";
	s->parser = parser_new(&events, s);
	writer_raw(&s->out, "<?xml version='1.0'?><stream:stream version='1.0' xmlns='jabber:client' "
			    "xmlns:stream='" STREAMS_NS "'");
	writer_attribute(&s->out, "to", s->domain);
	writer_raw(&s->out, ">");
	return s;
}

/* Little is sent, so the socket takes all of it at once. */
static void send_out(struct account_starttls *s, int fd)
{
	if (s->out.size && send(fd, s->out.data, s->out.size, MSG_NOSIGNAL) != (ssize_t)s->out.size)
		fail(s, "", strerrordesc_np(errno));
	text_clear(&s->out);
}

static bool receive(struct account_starttls *s, int fd)
{
	char bytes[4096];
	struct err why;
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		fail(s, "", n < 0 ? strerrordesc_np(errno) : "the server closed the connection during the login");
	else if (parser_feed(s->parser, bytes, (size_t)n, &why) < 0)
		fail(s, "", why.text);
	else if ((s->heard += (size_t)n) > SAID_MOST)
		fail(s, "", "the server says too much before the login");
	return true;
}

enum account_starttls_state account_starttls_turn(struct account_starttls *s, int fd)
{
	do
		send_out(s, fd);
	while (s->state == STARTTLS_GOES_ON && receive(s, fd));
	return s->state;
}

const char *account_starttls_why(const struct account_starttls *s, struct err *ret)
{
	*ret = s->why;
	return s->word;
}

void account_starttls_free(struct account_starttls *s)
{
	if (!s)
		return;
	parser_free(s->parser);
	text_free(&s->out);
	mem_free(s);
}
