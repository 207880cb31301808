#include "core/base/limits.h"
#include "core/base/mem.h"
#include "core/control/inside.h"

#include <jansson.h>

static int take_args(const json_t *args, struct question *ret, struct err *e)
{
	size_t n = json_array_size(args);
	if (args && !json_is_array(args))
		return err_set(e, "'args' is not an array");
	if (n > LIMIT_CONTROL_ARGS)
		return err_set(e, "more than %d arguments", LIMIT_CONTROL_ARGS);
	ret->args = mem_array(n, sizeof(char *));
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(args, i));
		if (!text)
			return err_set(e, "an argument is not a string");
		ret->args[ret->n_args++] = mem_text(text);
	}
	return 0;
}

static int take(const json_t *root, struct question *ret, struct err *e)
{
	const char *word = json_string_value(json_object_get(root, "word"));
	if (!word)
		return err_set(e, "there is no 'word'");
	ret->word = mem_text(word);
	return take_args(json_object_get(root, "args"), ret, e);
}

int control_parse(const char *line, size_t size, struct question *ret, struct err *e)
{
	json_error_t why;
	*ret = (struct question){ 0 };
	json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return err_set(e, "the request is not JSON: %s", why.text);
	int bad = take(root, ret, e);
	json_decref(root);
	return bad;
}

void control_free_question(struct question *q)
{
	for (size_t i = 0; i < q->n_args; i++)
		mem_free(q->args[i]);
	mem_free(q->args);
	mem_free(q->word);
	*q = (struct question){ 0 };
}
