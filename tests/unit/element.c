#include "core/xmpp/element.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

static struct element *new_element(struct arena *a, const char *name, const char *xmlns)
{
	struct element *e = arena_take(a, sizeof(*e));
	e->name = name;
	e->xmlns = xmlns;
	e->text = "";
	return e;
}

static void add_attribute(struct arena *a, struct element *e, const char *xmlns, const char *name, const char *value)
{
	struct attribute *at = arena_take(a, sizeof(*at));
	*at = (struct attribute){ .name = name, .xmlns = xmlns, .value = value, .next = e->attributes };
	e->attributes = at;
}

Test(arena, gives_zeroed_aligned_memory_of_any_size)
{
	struct arena *a = arena_new();
	for (int round = 0; round < 3; round++) {
		for (size_t size = 0; size < 100000; size = size * 2 + 1) {
			char *p = arena_take(a, size);
			cr_assert_eq((uintptr_t)p % sizeof(void *), 0);
			for (size_t i = 0; i < size; i++)
				cr_assert_eq(p[i], 0);
			memset(p, 0xAA, size);
		}
		arena_clear(a);
	}
	arena_free(a);
	arena_free(NULL);
}

Test(arena, copies_texts)
{
	struct arena *a = arena_new();
	char *one = arena_text(a, "abcdef", 3), *two = arena_text(a, "", 0);
	cr_assert_str_eq(one, "abc");
	cr_assert_str_eq(two, "");
	arena_free(a);
}

Test(element, finds_attributes_with_and_without_prefix)
{
	struct arena *a = arena_new();
	struct element *e = new_element(a, "friend", "urn:xmpp:siot:1");
	add_attribute(a, e, NULL, "jid", "anna@b.example");
	add_attribute(a, e, "urn:jidgate:siot:0", "thing", "t@x");
	cr_assert_str_eq(element_get(e, "jid"), "anna@b.example");
	cr_assert_null(element_get(e, "thing"), "a prefixed attribute is another one");
	cr_assert_null(element_get_ns(e, "urn:jidgate:siot:0", "jid"));
	cr_assert_str_eq(element_get_ns(e, "urn:jidgate:siot:0", "thing"), "t@x");
	arena_free(a);
}

Test(element, finds_children_by_name_and_namespace)
{
	struct arena *a = arena_new();
	struct element *e = new_element(a, "iq", ELEMENT_CLIENT);
	struct element *one = new_element(a, "item", "urn:a"), *two = new_element(a, "item", "urn:b"),
		       *three = new_element(a, "item", "urn:a");
	e->first = one;
	one->next = two;
	two->next = three;
	cr_assert_eq(element_child(e, "item", NULL), one);
	cr_assert_eq(element_child(e, "item", "urn:b"), two);
	cr_assert_null(element_child(e, "item", "urn:c"));
	cr_assert_eq(element_next(one, "item", "urn:a"), three);
	cr_assert_null(element_next(three, "item", NULL));
	cr_assert(element_is(e, "iq", NULL));
	cr_assert_not(element_is(e, "iq", "jabber:server"));
	arena_free(a);
}

Test(element, takes_the_language_of_what_it_is_in)
{
	struct arena *a = arena_new();
	struct element *e = new_element(a, "iq", ELEMENT_CLIENT), *child = new_element(a, "name", "urn:a");
	child->parent = e;
	cr_assert_null(element_language(child));
	add_attribute(a, e, ELEMENT_XML, "lang", "de");
	cr_assert_str_eq(element_language(child), "de");
	add_attribute(a, child, ELEMENT_XML, "lang", "en");
	cr_assert_str_eq(element_language(child), "en");
	arena_free(a);
}

Test(element, knows_both_words_for_true)
{
	struct arena *a = arena_new();
	struct element *e = new_element(a, "req", "urn:a");
	add_attribute(a, e, NULL, "all", "1");
	add_attribute(a, e, NULL, "momentary", "true");
	add_attribute(a, e, NULL, "peak", "yes");
	cr_assert(element_true(e, "all"));
	cr_assert(element_true(e, "momentary"));
	cr_assert_not(element_true(e, "peak"));
	cr_assert_not(element_true(e, "computed"));
	arena_free(a);
}
