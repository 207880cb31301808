#include "core/xmpp/jid.h"
#include "core/conf/ident.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static struct jid parsed(const char *text)
{
	struct jid j;
	cr_assert_eq(jid_parse(&j, text), 0, "refused: %s", text);
	return j;
}

static void refused(const char *text)
{
	struct jid j;
	char bare[2 * LIMIT_JID_PART + 2];
	cr_assert_eq(jid_parse(&j, text), -1, "accepted: %s", text);
	if (!strchr(text, '/'))
		cr_assert_eq(jid_bare(text, bare), -1, "accepted as bare: %s", text);
}

Test(jid, reads_the_five_examples)
{
	struct jid j;
	cr_assert_eq(jid_parse(&j, "Anna@B.example/phone"), 0);
	cr_assert_str_eq(j.local, "anna");
	cr_assert_str_eq(j.domain, "b.example");
	cr_assert_str_eq(j.resource, "phone");
	cr_assert_str_eq(j.bare, "anna@b.example");

	cr_assert_eq(jid_parse(&j, "b.example"), 0);
	cr_assert_null(j.local);
	cr_assert_null(j.resource);
	cr_assert_str_eq(j.domain, "b.example");

	cr_assert_eq(jid_parse(&j, "b.example/x@y"), 0);
	cr_assert_null(j.local);
	cr_assert_str_eq(j.domain, "b.example");
	cr_assert_str_eq(j.resource, "x@y");
	cr_assert_str_eq(j.bare, "b.example");

	refused("@b.example");
	refused("a@b@c");
	refused("a b@c");

	char escaped[64];
	cr_assert_eq(ident_escape("zigbee2mqtt/Hall lamp", escaped, sizeof(escaped)), 0);
	cr_assert_str_eq(escaped, "zigbee2mqtt\\2fhall\\20lamp");
}

Test(jid, refuses_what_is_none)
{
	refused("");
	refused("@");
	refused("/r");
	refused("a@");
	refused("a@/r");
	refused("a@b/");
	refused("a@b.."); /* one dot is stripped: the same address would be another one when it is read again */
	refused("a@.b");
	refused("a@b..c");
	refused("a@b\xEF\xBC\x8E"); /* a wide dot, which is a dot when it is prepared */
	refused("a'b@c");
	refused("a<b@c");
	refused("a@b c");
	refused("a@b,c");
	refused("a@b\xC2\xA0"
		"c");
	refused("a\x01@b");
	refused("a@b/x\x7F");
	refused("\xFF@b");
	refused("a@b/\xED\xA0\x80");
}

Test(jid, prepares_what_is_not_ascii)
{
	cr_assert_str_eq(parsed("STRASSE@x").bare, "strasse@x");
	struct jid j;
	cr_assert_eq(jid_parse(&j, "\xC3\x84NNE@B\xC3\x9C.example/\xC3\x84"), 0);
	cr_assert_str_eq(j.bare, "\xC3\xA4nne@b\xC3\xBC.example");
	cr_assert_str_eq(j.resource, "\xC3\x84", "a resource keeps its case");
	cr_assert(jid_same_bare("\xC3\x84nne@x/1", "\xC3\xA4NNE@X/2"));
	refused("a\xE2\x84\x80@x"); /* U+2100 becomes a/c, which no localpart may have */
}

/* Each ASCII character in each part, against the rules of RFC 6122 as words. */
Test(jid, knows_which_characters_each_part_may_have)
{
	for (int c = 1; c < 128; c++) {
		char text[16];
		struct jid j;
		bool control = c < 0x20 || c == 0x7F, letter = isalnum(c);
		snprintf(text, sizeof(text), "a%cb@d/r", c);
		bool local = !control && !strchr(" \"&'/:<>@", c);
		cr_expect_eq(jid_parse(&j, text) == 0 && j.local && strcmp(j.domain, "d") == 0, local, "local %d", c);
		snprintf(text, sizeof(text), "a@b%cd", c);
		cr_expect_eq(jid_parse(&j, text) == 0 && !j.resource, letter || strchr("-._[:]", c), "domain %d", c);
		snprintf(text, sizeof(text), "a@b/c%cd", c);
		cr_expect_eq(jid_parse(&j, text) == 0, !control, "resource %d", c);
	}
}

Test(jid, compares_bare)
{
	cr_assert(jid_same_bare("anna@b.example/phone", "ANNA@b.example"));
	cr_assert_not(jid_same_bare("anna@b.example", "anne@b.example"));
	cr_assert_not(jid_same_bare("b.example", "anna@b.example"));
	cr_assert_not(jid_same_bare("@", "@"), "what is no address equals nothing");
	cr_assert(jid_same_bare("b.example.", "b.example"), "a final dot means nothing");
	cr_assert_str_eq(jid_resource("a@b/c/d"), "c/d");
	cr_assert_null(jid_resource("a@b"));
}

Test(jid, keeps_to_the_lengths)
{
	char text[3 * LIMIT_JID_PART + 8];
	memset(text, 'a', sizeof(text));
	text[LIMIT_JID_PART] = '@';
	text[2 * LIMIT_JID_PART + 1] = '/';
	text[3 * LIMIT_JID_PART + 2] = '\0';
	struct jid j;
	cr_assert_eq(jid_parse(&j, text), 0);
	cr_assert_eq(strlen(j.local), LIMIT_JID_PART);
	cr_assert_eq(strlen(j.domain), LIMIT_JID_PART);
	cr_assert_eq(strlen(j.resource), LIMIT_JID_PART);
	cr_assert_eq(strlen(j.bare), 2 * LIMIT_JID_PART + 1);
	text[3 * LIMIT_JID_PART + 2] = 'a';
	text[3 * LIMIT_JID_PART + 3] = '\0';
	refused(text);
	memset(text, 'a', LIMIT_JID_PART + 1);
	text[LIMIT_JID_PART + 1] = '@';
	memcpy(text + LIMIT_JID_PART + 2, "b", 2);
	refused(text);
}

/* Each character becomes 18 others under NFKC. */
Test(jid, is_not_broken_by_what_grows)
{
	char text[3 * 340 + 8] = "";
	for (size_t i = 0; i < 340; i++)
		memcpy(text + 3 * i, "\xEF\xB7\xBA", 3);
	memcpy(text + 3 * 340, "@x", 3);
	refused(text);
}

Test(jid, leaves_its_result_alone_when_it_refuses)
{
	struct jid j = parsed("a@b/c");
	j = parsed("a@b/c");
	cr_assert_eq(jid_parse(&j, "x y@z"), -1);
	cr_assert_str_eq(j.bare, "a@b");
	char bare[2 * LIMIT_JID_PART + 2] = "before";
	cr_assert_eq(jid_bare("x y@z", bare), -1);
	cr_assert_str_eq(bare, "before");
}

static void escapes_to(const char *text, const char *wanted)
{
	char escaped[LIMIT_JID_PART + 1], whole[LIMIT_JID_PART + 8];
	cr_assert_eq(ident_escape(text, escaped, sizeof(escaped)), 0, "refused: %s", text);
	cr_assert_str_eq(escaped, wanted);
	memcpy(whole, escaped, strlen(escaped));
	memcpy(whole + strlen(escaped), "@x", 3);
	struct jid j;
	cr_assert_eq(jid_parse(&j, whole), 0, "not a localpart: %s", escaped);
	cr_assert_str_eq(j.local, wanted);
}

Test(jid, escapes_as_xep_0106_says)
{
	escapes_to("space cadet", "space\\20cadet");
	escapes_to("call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22");
	escapes_to("at&t guy", "at\\26t\\20guy");
	escapes_to("d'artagnan", "d\\27artagnan");
	escapes_to("/.fanboy", "\\2f.fanboy");
	escapes_to("::foo::", "\\3a\\3afoo\\3a\\3a");
	escapes_to("<foo>", "\\3cfoo\\3e");
	escapes_to("user@host", "user\\40host");
	escapes_to("c:\\net", "c\\3a\\net");
	escapes_to("c:\\cool stuff", "c\\3a\\cool\\20stuff");
	escapes_to("c:\\5commas", "c\\3a\\5c5commas");
	escapes_to("\\2plus\\2is\\4", "\\2plus\\2is\\4");
	escapes_to(" outer ", "outer");
	char room[4];
	cr_assert_eq(ident_escape("   ", room, sizeof(room)), -1);
	cr_assert_eq(ident_escape("", room, sizeof(room)), -1);
	cr_assert_eq(ident_escape("abcd", room, sizeof(room)), -1);
	cr_assert_eq(ident_escape("a\x01", room, sizeof(room)), -1);
}

static void folds_to(const char *text, const char *wanted)
{
	char folded[256];
	cr_assert_eq(jid_fold_name(text, folded, sizeof(folded)), 0, "refused: %s", text);
	cr_assert_str_eq(folded, wanted);
}

Test(jid, folds_names_as_people_type_them)
{
	folds_to("  Cellar   Temperature ", "cellar temperature");
	folds_to("GRO\xC3\x9F", "gross");
	folds_to("Ku\xCC\x88"
		 "che",
		 "k\xC3\xBC"
		 "che");
	folds_to("wide\xC2\xA0space\t\n", "wide space");
	folds_to("", "");
	char folded[4];
	cr_assert_eq(jid_fold_name("abcd", folded, sizeof(folded)), -1);
	cr_assert_eq(jid_fold_name("\xFF", folded, sizeof(folded)), -1);
}
