#include "core/base/mem.h"
#include "core/control/inside.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

/* A request of the command line: what is taken has its word, no more arguments than the bound, and each of them is whole. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct question q;
	struct err e;
	char *line = mem_copy(bytes, size);
	if (control_parse(line, size, &q, &e) == 0) {
		must(q.word && q.n_args <= LIMIT_CONTROL_ARGS);
		for (size_t i = 0; i < q.n_args; i++)
			must(q.args[i] && strlen(q.args[i]) < size);
	}
	control_free_question(&q);
	mem_free(line);
	return 0;
}
