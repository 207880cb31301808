#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* replay FOLDER [ROUNDS]: each file of it as it is, then ROUNDS mutations of each. */

enum { MOST = 70000, FILES_MOST = 500 };

struct seed {
	uint8_t *bytes; /* of its own size, so that one byte too far is seen */
	size_t size;
};

static struct seed seeds[FILES_MOST];
static size_t n_seeds;
static uint32_t state = 4711;

static size_t below(size_t n)
{
	state = state * 1664525 + 1013904223;
	return n ? (state >> 8) % n : 0;
}

static void load(const char *folder, const char *name)
{
	char path[1024];
	static uint8_t room[MOST];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	must(f && n_seeds < FILES_MOST);
	struct seed *s = &seeds[n_seeds++];
	s->size = fread(room, 1, sizeof(room), f);
	s->bytes = malloc(s->size ? s->size : 1);
	memcpy(s->bytes, room, s->size);
	fclose(f);
}

static void play(const uint8_t *bytes, size_t size)
{
	uint8_t *own = malloc(size ? size : 1);
	memcpy(own, bytes, size);
	LLVMFuzzerTestOneInput(own, size);
	free(own);
}

/* One change of the ways that find most: a byte, a stretch left out, doubled, or taken from another seed. */
static size_t change(uint8_t *bytes, size_t size)
{
	static const uint8_t odd[] = "\0\xff\x7f\x80\"\\{}[]<>()=,;:/&#%~0-\n";
	size_t at = below(size + 1), n = below(size - at < 64 ? size - at + 1 : 64);
	const struct seed *other = &seeds[below(n_seeds)];
	size_t from = below(other->size), more = below(other->size - from < 64 ? other->size - from + 1 : 64);
	switch (below(5)) {
	case 0:
		if (at < size)
			bytes[at] = below(2) ? (uint8_t)below(256) : odd[below(sizeof(odd) - 1)];
		return size;
	case 1:
		memmove(bytes + at, bytes + at + n, size - at - n);
		return size - n;
	case 2:
		more = 0;
		break;
	case 3:
		if (at < size)
			bytes[at] ^= (uint8_t)(1U << below(8));
		return size;
	default:
		n = 0;
	}
	if (size + n + more > MOST)
		return size;
	memmove(bytes + at + n + more, bytes + at, size - at);
	memcpy(bytes + at + n, other->bytes + from, more);
	return size + n + more;
}

int main(int argc, char **argv)
{
	static uint8_t room[2 * MOST];
	struct dirent **names;
	int n = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : -1;
	long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
	must(n >= 0);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.')
			load(argv[1], names[i]->d_name);
		free(names[i]);
	}
	free(names);
	must(n_seeds > 0);
	for (size_t i = 0; i < n_seeds; i++)
		play(seeds[i].bytes, seeds[i].size);
	for (size_t i = 0; i < n_seeds; i++)
		for (long round = 0; round < rounds; round++) {
			size_t size = seeds[i].size;
			memcpy(room, seeds[i].bytes, size);
			for (size_t left = 1 + below(4); left; left--)
				size = change(room, size);
			play(room, size);
		}
	printf("%zu files, %ld mutations of each\n", n_seeds, rounds);
	for (size_t i = 0; i < n_seeds; i++)
		free(seeds[i].bytes);
	return 0;
}
