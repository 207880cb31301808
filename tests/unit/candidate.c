#include "core/conf/candidate.h"

#include "core/base/mem.h"
#include "core/drivers.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD   "version = 1; protocol = \"modbus\"; addressing = \"protocol\"; "
#define POINTS "points = ( { id = \"u\"; type = \"float32\"; table = \"input\"; address = 0; } ); "
#define PROBE  "probe = { point = \"u\"; min = 80; max = 300; };"

static const struct {
	const char *name, *text;
} templates[] = {
	{ "zz-test-meter", "template = \"zz-test-meter\"; " HEAD PROBE POINTS },
	{ "aa-test-meter", "template = \"aa-test-meter\"; " HEAD PROBE POINTS },
	{ "no-test-probe", "template = \"no-test-probe\"; " HEAD POINTS },
	{ "bad-test-meter", "template = \"bad-test-meter\"; " HEAD PROBE "points = ( { " },
	{ "wrong-test-point",
	  "template = \"wrong-test-point\"; " HEAD "probe = { point = \"v\"; min = 1; max = 2; }; " POINTS },
	{ "other-test-bus", "template = \"other-test-bus\"; version = 1; protocol = \"mqtt\"; probe = { point = \"u\"; "
			    "min = 1; max = 2; }; "
			    "points = ( { id = \"u\"; type = \"real\"; path = \"/u\"; } );" },
};
enum { N_TEMPLATES = sizeof(templates) / sizeof(templates[0]) };

struct site {
	char folder[64], conf[PATH_MAX];
	const struct protocol **protocols;
};

static void path_of(const struct site *s, size_t i, char ret[PATH_MAX])
{
	snprintf(ret, PATH_MAX, "%s/templates.d/%s.conf", s->folder, templates[i].name);
}

static void begin(struct site *s)
{
	char path[PATH_MAX];
	snprintf(s->folder, sizeof(s->folder), "/tmp/jidgate-candidate-XXXXXX");
	cr_assert_not_null(mkdtemp(s->folder));
	snprintf(s->conf, sizeof(s->conf), "%s/site.conf", s->folder);
	snprintf(path, sizeof(path), "%s/templates.d", s->folder);
	cr_assert_eq(mkdir(path, 0700), 0);
	for (size_t i = 0; i < N_TEMPLATES; i++) {
		path_of(s, i, path);
		FILE *file = fopen(path, "w");
		cr_assert_not_null(file);
		fprintf(file, "%s\n", templates[i].text);
		fclose(file);
	}
	s->protocols = drivers_protocols();
}

static void end(struct site *s)
{
	char path[PATH_MAX];
	for (size_t i = 0; i < N_TEMPLATES; i++) {
		path_of(s, i, path);
		remove(path);
	}
	snprintf(path, sizeof(path), "%s/templates.d", s->folder);
	remove(path);
	cr_expect_eq(remove(s->folder), 0, "nothing was written");
	mem_free(s->protocols);
}

static const struct protocol *named(const struct site *s, const char *name)
{
	const struct protocol *const *p = s->protocols;
	while (strcmp((*p)->name, name) != 0)
		p++;
	return *p;
}

/* Others may be installed on this machine. */
Test(candidate, is_a_template_of_the_protocol_that_says_how_it_is_known_and_has_no_mistake)
{
	struct site s;
	struct candidate *list;
	struct text ours = { 0 };
	begin(&s);
	size_t n = candidate_list(s.conf, named(&s, "modbus-tcp"), &list);
	for (size_t i = 0; i < n; i++)
		if (strstr(list[i].template, "-test-"))
			text_addf(&ours, "%s.%s ", list[i].template, list[i].point);
	cr_assert_str_eq(ours.data, "aa-test-meter.u zz-test-meter.u ");
	cr_expect(decimal_compare(list[0].min, decimal_of(80)) == 0 &&
		  decimal_compare(list[0].max, decimal_of(300)) == 0);
	text_free(&ours);
	candidate_free(list, n);
	end(&s);
}

Test(conf_parse, makes_a_house_of_a_text_that_stands_in_no_file)
{
	struct site s;
	struct conf c;
	begin(&s);
	cr_assert_eq(
		conf_parse(
			&c, s.conf,
			"buses = ( { id = \"b\"; protocol = \"modbus-tcp\"; host = \"plc\"; } );\n"
			"devices = ( { id = \"d\"; bus = \"b\"; unit_id = 1; template = \"zz-test-meter\"; } ); # end",
			s.protocols),
		0);
	cr_assert(c.house->n_devices == 1 && c.house->devices[0]->n_points == 1,
		  "its template is looked for beside the file");
	cr_expect_eq(c.n_errors, 0);
	conf_free(&c);
	cr_assert_eq(conf_parse(&c, s.conf, "buses = ( { id = \"b\"; protocol = \"modbus-tcp\"; hots = \"plc\"; } );",
				s.protocols),
		     -1);
	cr_expect(strstr(c.errors.data, "site.conf:1: "), "%s", c.errors.data);
	conf_free(&c);
	cr_assert_eq(conf_parse(&c, s.conf, "buses = ( {", s.protocols), -1);
	conf_free(&c);
	end(&s);
}
