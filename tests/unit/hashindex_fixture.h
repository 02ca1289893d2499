/*
 * What the tests of long hash lists share: lists whose every line is known, and indexes of them.
 */
#ifndef CARVED_TESTS_UNIT_HASHINDEX_FIXTURE_H
#define CARVED_TESTS_UNIT_HASHINDEX_FIXTURE_H

#include <criterion/criterion.h>

#include "core/detect/hashindex.h"
#include "core/detect/hashtext.h"
#include "tests/unit/detect_fixture.h"

/* The hash of line i: like a hash, unless alike is set; then all begin with eight bytes 0. */
static inline void index_sum(unsigned i, bool alike, uint8_t sum[HASH_SIZE_MAX])
{
	uint64_t mixed = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	memset(sum, 0, HASH_SIZE_MAX);
	for (unsigned b = 0; b < 8; b++)
		sum[alike ? b + 8 : b] = (uint8_t)(mixed >> (56 - 8 * b));
}

static inline enum hash_kind index_kind(unsigned i)
{
	return (enum hash_kind)(i % HASH_KINDS);
}

/* Writes a list of count lines, the kinds in turn; every fourth has no name. */
static inline void index_list(const char *path, unsigned count, bool alike)
{
	FILE *file = fopen(path, "w");
	cr_assert_not_null(file);
	for (unsigned i = 0; i < count; i++) {
		uint8_t sum[HASH_SIZE_MAX];
		AUTO_STR line = STR_INIT;
		index_sum(i, alike, sum);
		str_hex(&line, sum, hash_size(index_kind(i)));
		if (i % 4)
			str_printf(&line, "  name %u", i / 8);
		cr_assert_geq(fprintf(file, "%s\n", str_text(&line)), 0);
	}
	cr_assert_eq(fclose(file), 0);
}

/* An index of the list, at path or (NULL) nowhere; unkept: what hashindex_build() is to return. */
static inline struct hashindex *index_build_unkept(const char *list, const char *path, int unkept)
{
	struct error err = { 0 };
	AUTO_CLOSE int fd = hashtext_open(list, &err);
	cr_assert_geq(fd, 0, "%s", err.text);
	struct hashindex_source source;
	struct hashtext text = { .file = list, .fd = fd };
	struct hashindex *index = NULL;
	cr_assert_eq(hashindex_look(fd, &source), 0);
	cr_assert_eq(hashindex_build(&index, &text, &source, path, &err), unkept, "%s", err.text);
	cr_assert_arr_eq(hashindex_of(index)->sha256, text.sha256, DIGEST_SIZE);
	return index;
}

static inline struct hashindex *index_build(const char *list, const char *path)
{
	return index_build_unkept(list, path, 0);
}

/* Asks for line i, and for a hash that is nearly that. */
static inline void index_ask(const struct hashindex *index, unsigned i, bool alike)
{
	char signature[HASHLINE_SIGNATURE_MAX + 1] = "untouched";
	char expected[32] = "";
	uint8_t sum[HASH_SIZE_MAX];
	index_sum(i, alike, sum);
	if (i % 4)
		(void)snprintf(expected, sizeof expected, "name %u", i / 8);
	cr_assert_eq(hashindex_find(index, index_kind(i), sum, signature), 1, "line %u", i);
	cr_assert_str_eq(signature, expected);
	sum[hash_size(index_kind(i)) - 1] ^= 1;
	cr_assert_eq(hashindex_find(index, index_kind(i), sum, signature), 0, "beside line %u", i);
}

#endif
