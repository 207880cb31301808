#include "tests/lib/service.h"

#include "core/base/mem.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PROV "prov.example"

static void on_closed(void *ctx)
{
	((struct service *)ctx)->over = true;
}

static const struct provisioner_events events = { .on_closed = on_closed };

void service_begin(struct service *s)
{
	struct err e;
	s->over = false;
	s->store = store_open(s->directory, s->loop, &e);
	cr_assert(s->store, "%s", s->store ? "" : e.text);
	s->p = provisioner_new(s->store, s->loop, &s->log, &events, s, &e);
	cr_assert(s->p, "%s", s->p ? "" : e.text);
	s->link = fake_link_new(PROV, s->loop, &s->log, &provisioner_link_events, s->p);
	provisioner_start(s->p, &s->link->link);
	cr_assert(s->link->opened);
	fake_link_up(s->link, NULL);
	service_settle(s);
}

struct service *service_place(void)
{
	struct service *s = mem_new(sizeof(*s));
	snprintf(s->directory, sizeof(s->directory), "/tmp/jidgate-service-XXXXXX");
	cr_assert(mkdtemp(s->directory));
	log_init(&s->log, LOG_LEVEL_DEBUG, NULL);
	return s;
}

void service_wake(struct service *s)
{
	s->loop = loop_new();
	service_begin(s);
}

struct service *service_new(void)
{
	struct service *s = service_place();
	service_wake(s);
	return s;
}

void service_stop(struct service *s)
{
	provisioner_close(s->p);
	while (!s->over)
		loop_turn(s->loop);
	store_close(s->store);
	provisioner_free(s->p);
	cr_assert(s->link->freed);
	fake_link_free(s->link);
	s->p = NULL;
}

void service_free(struct service *s)
{
	if (s->p)
		service_stop(s);
	loop_free(s->loop);
	static const char *const files[] = { "jidgate.db", "jidgate.db-wal", "jidgate.db-shm" };
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char *path = mem_format("%s/%s", s->directory, files[i]);
		unlink(path);
		mem_free(path);
	}
	cr_assert_eq(rmdir(s->directory), 0);
	mem_free(s);
}

void service_restart(struct service *s)
{
	service_stop(s);
	service_begin(s);
}

void service_settle(struct service *s)
{
	while (s->p->n_changes > 0 || (s->p->due.place && !s->link->congested))
		loop_turn(s->loop);
}

static void tick(void *ctx)
{
	(void)ctx;
}

void service_skip(struct service *s, int64_t ms)
{
	loop_skip(s->loop, ms);
	timer_set(s->loop, &s->tick, 0, tick, s); /* nothing else may be due */
	while (s->tick.place)
		loop_turn(s->loop);
	service_settle(s);
}

void service_limit_disk(struct service *s, bool full)
{
	struct rlimit limit = { .rlim_cur = full ? 32 : RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	(void)s;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const char *give_iq(struct service *s, const char *type, const char *from, const char *payload)
{
	static char id[32];
	snprintf(id, sizeof(id), "iq-%u.", ++s->n_ids);
	fake_link_give(s->link, "<iq type='%s' from='%s' to='" PROV "' id='%s'>%s</iq>", type, from, id, payload);
	return id;
}

const char *service_give_set(struct service *s, const char *from, const char *payload)
{
	return give_iq(s, "set", from, payload);
}

const char *service_give_get(struct service *s, const char *from, const char *payload)
{
	return give_iq(s, "get", from, payload);
}

const char *service_answer(struct service *s, const char *id)
{
	char *fragment = mem_format(" id='%s'", id);
	const char *answer = fake_link_find(s->link, fragment);
	cr_assert(answer, "no answer to %s", id);
	cr_assert(!fake_link_find(s->link, fragment), "a second answer to %s", id);
	mem_free(fragment);
	return answer;
}

static const char *ask(struct service *s, const char *type, const char *from, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *payload = mem_new((size_t)size + 1);
	vsnprintf(payload, (size_t)size + 1, format, args);
	const char *id = give_iq(s, type, from, payload);
	mem_free(payload);
	service_settle(s);
	return service_answer(s, id);
}

const char *service_set(struct service *s, const char *from, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *answer = ask(s, "set", from, format, args);
	va_end(args);
	return answer;
}

const char *service_get(struct service *s, const char *from, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *answer = ask(s, "get", from, format, args);
	va_end(args);
	return answer;
}

void service_chat(struct service *s, const char *from, const char *body)
{
	fake_link_give(s->link, "<message type='chat' from='%s' to='" PROV "'><body>%s</body></message>", from, body);
	service_settle(s);
}

void service_presence(struct service *s, const char *from, const char *type)
{
	if (type)
		fake_link_give(s->link, "<presence type='%s' from='%s' to='" PROV "'/>", type, from);
	else
		fake_link_give(s->link, "<presence from='%s' to='" PROV "'/>", from);
	service_settle(s);
}

const char *service_expect(struct service *s, const char *fragment)
{
	const char *said = fake_link_find(s->link, fragment);
	const char *first = "nothing";
	if (!said)
		fake_link_take(s->link, &first);
	cr_assert(said, "not said: %s\nbut: %s", fragment, first);
	return said;
}

void service_expect_not(struct service *s, const char *fragment)
{
	const char *said = fake_link_find(s->link, fragment);
	cr_assert(!said, "said: %s", said);
}

void service_expect_silence(struct service *s)
{
	service_expect_not(s, "<");
}

void service_has(const char *text, const char *fragment)
{
	cr_assert(strstr(text, fragment), "no %s in %s", fragment, text);
}

void service_has_not(const char *text, const char *fragment)
{
	cr_assert(!strstr(text, fragment), "%s in %s", fragment, text);
}

void service_is_result(const char *answer)
{
	service_has(answer, "<iq type='result'");
}

void service_is_error(const char *answer, const char *type, const char *condition)
{
	char *error = mem_format("<error type='%s'><%s ", type, condition);
	service_has(answer, "<iq type='error'");
	service_has(answer, error);
	mem_free(error);
}

static void forget(struct service *s)
{
	fake_link_forget(s->link);
}

void service_register(struct service *s, const char *thing, const char *key, const char *name)
{
	char *from = mem_format("%s/res", thing);
	service_is_result(service_set(s, from, "<register xmlns='" SIOT "' name='%s' key='%s'/>", name, key));
	service_presence(s, thing, "subscribed");
	service_presence(s, from, NULL);
	mem_free(from);
	forget(s);
}

void service_register_group(struct service *s, const char *thing, const char *key, const char *group,
			    const char *group_key)
{
	char *from = mem_format("%s/res", thing);
	service_is_result(service_set(s, from,
				      "<register xmlns='" SIOT "' xmlns:x='" SIOT_X "' name='%s' key='%s' x:group='%s' "
				      "x:group-key='%s'/>",
				      thing, key, group, group_key));
	service_presence(s, from, NULL);
	mem_free(from);
	forget(s);
}

void service_claim(struct service *s, const char *owner, const char *key)
{
	service_is_result(service_set(s, owner, "<claim xmlns='" SIOT "' key='%s'/>", key));
	forget(s);
}

void service_let_in(struct service *s, const char *owner, const char *thing, const char *friend)
{
	service_is_result(service_set(s, owner,
				      "<friend-state-update xmlns='" SIOT "' xmlns:x='" SIOT_X "'>"
				      "<friend jid='%s' x:thing='%s'/></friend-state-update>",
				      friend, thing));
	forget(s);
}

void service_ask(struct service *s, const char *thing, const char *requestor, const char *wanted)
{
	char *from = mem_format("%s/res", thing);
	char *result = mem_format("<is-friend-result xmlns='" SIOT "' friend='%s'/>", wanted);
	const char *answer = service_get(s, from, "<is-friend-query xmlns='" SIOT "' jid='%s'/>", requestor);
	service_is_result(answer);
	service_has(answer, result);
	mem_free(result);
	mem_free(from);
}
