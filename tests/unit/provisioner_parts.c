/* The parts without a stream: keys, counters, the ledger. */
#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/provisioner/fingerprint.h"
#include "core/provisioner/keyring.h"
#include "core/provisioner/ledger.h"
#include "core/provisioner/quota.h"
#include "core/provisioner/record.h"

#include <criterion/criterion.h>
#include <string.h>

Test(fingerprint, is_the_hash_of_the_keys_normal_form) /* S4 */
{
	struct fingerprint a, b;
	cr_assert(fingerprint_make(&a, "TWNKKD5YMT3TE2GSDRDBKVTW"));
	/* printf TWNKKD5YMT3TE2GSDRDBKVTW | sha256sum */
	cr_expect_str_eq(a.hex, "268eeafa44cca6354087bc009af9c270bf883a40a96125d9bd48f780f34baba5");
	cr_assert(fingerprint_make(&b, " twnk-kd5y mt3t\te2gs.DRDB-kvtw\n\xC3\x9C"));
	cr_expect(fingerprint_same(&a, &b));
	cr_assert(fingerprint_make(&b, "TWNKKD5YMT3TE2GSDRDBKVT1"));
	cr_expect_not(fingerprint_same(&a, &b));
	cr_expect_str_eq(fingerprint_index(&a), a.hex + 48);
}

Test(fingerprint, refuses_what_is_no_key)
{
	struct fingerprint f;
	char longest[LIMIT_KEY + 2];
	memset(longest, 'A', sizeof(longest));
	longest[LIMIT_KEY + 1] = '\0';
	cr_expect_not(fingerprint_make(&f, longest));
	longest[LIMIT_KEY] = '\0';
	cr_expect(fingerprint_make(&f, longest));
	cr_expect_not(fingerprint_make(&f, ""));
	cr_expect_not(fingerprint_make(&f, "------------"));
	cr_expect_not(fingerprint_make(&f, "ABCD-123"));
	cr_expect(fingerprint_make(&f, "ABCD-1234"));
}

Test(fingerprint, reads_what_it_printed_and_nothing_else)
{
	struct fingerprint a, b;
	cr_assert(fingerprint_make(&a, "ABCD-1234"));
	cr_assert(fingerprint_parse(&b, a.hex));
	cr_expect(fingerprint_same(&a, &b));
	cr_expect_not(fingerprint_parse(&b, ""));
	cr_expect_not(fingerprint_parse(&b, a.hex + 1));
	a.hex[5] = 'G';
	cr_expect_not(fingerprint_parse(&b, a.hex));
}

Test(quota, counts_per_name_and_begins_anew_with_each_period)
{
	struct loop *loop = loop_new();
	struct quota q;
	quota_init(&q, loop, 60000, 3);
	for (int i = 0; i < 3; i++)
		cr_assert(quota_take(&q, "anna@b.example", ""));
	cr_expect_not(quota_take(&q, "anna@b.example", ""));
	cr_expect_not(quota_left(&q, "anna@b.example", ""));
	cr_expect(quota_left(&q, "bob@b.example", ""));
	cr_expect_not(quota_take(&q, "anna@b.example", ""));
	cr_expect_not(quota_take(&q, "anna@b.example", ""));
	cr_expect(quota_take(&q, "bob@b.example", ""));
	cr_expect(quota_take(&q, "anna@b.exampl", "e"), "the border counts");
	loop_skip(loop, 60000);
	cr_expect(quota_take(&q, "anna@b.example", ""));
	quota_free(&q);
	loop_free(loop);
}

Test(quota, its_period_is_not_that_of_the_clock)
{
	struct loop *loop = loop_new();
	for (int i = 0; i < 12; i++) {
		struct quota q;
		quota_init(&q, loop, 60000, 1);
		cr_expect(quota_take(&q, "anna@b.example", ""));
		loop_skip(loop, 5000);
		cr_expect_not(quota_left(&q, "anna@b.example", ""), "after %d s", 5 * i);
		cr_expect_not(quota_take(&q, "anna@b.example", ""), "after %d s", 5 * i);
		quota_free(&q);
	}
	loop_free(loop);
}

static const struct registration *thing_of(const struct decision *d)
{
	return d->thing;
}

Test(ledger, is_found_by_thing_by_owner_and_by_requestor)
{
	struct loop *loop = loop_new();
	struct registry r;
	registry_init(&r, loop);
	struct registration *lamp = registry_add(&r, "lamp@gw.example"), *door = registry_add(&r, "door@gw.example");
	ledger_set(&r, ledger_add(lamp, "anna@b"), VERDICT_PENDING, 1);
	registry_set_owner(&r, lamp, "olga@h", 2);
	registry_set_owner(&r, door, "olga@h", 3);
	struct owner *olga = registry_owner(&r, "olga@h");
	cr_assert_eq(olga->n_waiting, 1, "he waited before there was an owner");
	ledger_set(&r, ledger_add(door, "anna@b"), VERDICT_PENDING, 4);
	cr_expect_eq(olga->n_untold, 2);
	ledger_told(ledger_find(lamp, "anna@b"));
	ledger_told(ledger_find(lamp, "anna@b"));
	cr_expect_eq(olga->n_untold, 1);
	const struct person *anna = ledger_person(olga, "anna@b");
	cr_expect_eq(thing_of(list_of(anna->decisions.next, struct decision, in_person)), lamp);
	ledger_set(&r, ledger_find(lamp, "anna@b"), VERDICT_YES, 5);
	cr_expect_eq(olga->n_waiting, 1);
	cr_expect_eq(lamp->n[VERDICT_YES], 1);
	cr_expect_eq(lamp->n[VERDICT_PENDING], 0);
	registry_set_owner(&r, lamp, "otto@h", 6);
	cr_expect_eq(ledger_person(registry_owner(&r, "otto@h"), "anna@b")->owner, registry_owner(&r, "otto@h"));
	registry_set_owner(&r, door, NULL, 7);
	cr_expect_null(registry_owner(&r, "olga@h"));
	registry_free(&r);
	loop_free(loop);
}

Test(ledger, counts_a_refusal_that_is_on_its_way_and_keeps_it_when_all_is_cleared)
{
	struct loop *loop = loop_new();
	struct registry r;
	registry_init(&r, loop);
	struct registration *lamp = registry_add(&r, "lamp@gw.example");
	struct decision *d = ledger_add(lamp, "anna@b");
	ledger_set(&r, d, VERDICT_YES, 1);
	cr_expect_eq(ledger_verdict(d), VERDICT_YES);
	cr_expect_eq(ledger_verdict(NULL), VERDICT_NONE);
	d->refusals++;
	cr_expect_eq(ledger_verdict(d), VERDICT_NO);
	ledger_clear(&r, lamp);
	cr_assert_eq(ledger_find(lamp, "anna@b"), d);
	d->refusals--;
	ledger_tidy(d);
	cr_expect_null(ledger_find(lamp, "anna@b"));
	registry_free(&r);
	loop_free(loop);
}

Test(keyring, keeps_a_group_as_long_as_somebody_uses_it)
{
	struct loop *loop = loop_new();
	struct registry r;
	struct fingerprint key;
	registry_init(&r, loop);
	struct registration *a = registry_add(&r, "a@gw.example"), *b = registry_add(&r, "b@gw.example");
	fingerprint_make(&key, "GROUPKEY");
	struct group *group = keyring_use(&r, a->jid, "meter", &key);
	keyring_set_group(&r, a, group);
	keyring_leave(&r, group);
	cr_assert_eq(keyring_use(&r, b->jid, "meter", &key), group);
	cr_expect_null(keyring_use(&r, b->jid, "boiler", &key));
	cr_expect_null(keyring_use(&r, "c@other.example", "meter", &key));
	keyring_set_group(&r, a, NULL);
	cr_assert_eq(keyring_find(&r, &key), &group->holder);
	keyring_leave(&r, group);
	cr_expect_null(keyring_find(&r, &key));
	keyring_set_key(&r, a, &key);
	cr_expect_null(keyring_use(&r, b->jid, "meter", &key), "a thing's key is no group's");
	registry_free(&r);
	loop_free(loop);
}

Test(record, keeps_names_and_times_as_the_store_has_them)
{
	struct names names = { 0 };
	record_names_parse(&names, "en\tLamp\nde\tL\xC3\xA4mpchen\n\tplain\nbroken\n\n\t\nfr\tno end");
	cr_assert_eq(names.n, 4);
	cr_expect_str_eq(names_find(&names, "de"), "L\xC3\xA4mpchen");
	cr_expect_str_eq(names.list[2].text, "plain");
	cr_expect_str_eq(names_find(&names, "fr"), "no end");
	names_free(&names);
	cr_expect_str_eq(record_time_print(1700000000123).text, "1700000000123");
	cr_expect_eq(record_time_parse("1700000000123"), 1700000000123);
	static const char *const bad[] = { NULL, "", "x", "5x", "-5", "99999999999999999999", "999999999999999999" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(record_time_parse(bad[i]), 0, "row %zu", i);
}
