#include <criterion/criterion.h>
#include <string.h>

#include "core/engines/hash.h"

static void of(const char *one, const char *other, char out[HASH_HEX])
{
	AUTO(hash) struct hash *hash = hash_new();
	hash_text(hash, one);
	hash_text(hash, other);
	hash_end(hash, out);
}

Test(hash, lists_that_differ_never_run_together)
{
	char a[HASH_HEX], b[HASH_HEX], c[HASH_HEX];
	of("ab", "c", a);
	of("a", "bc", b);
	of("ab", "c", c);
	cr_assert_str_neq(a, b);
	cr_assert_str_eq(a, c);
	cr_assert_eq(strlen(a), 64);
	cr_assert_eq(strspn(a, "0123456789abcdef"), 64);
}

Test(hash, is_sha_256)
{
	/* printf '\3\0\0\0\0\0\0\0abc' | sha256sum */
	char out[HASH_HEX];
	AUTO(hash) struct hash *hash = hash_new();
	hash_field(hash, "abc", 3);
	hash_end(hash, out);
	cr_assert_str_eq(out, "ce91dc5eec0139adf091900d225971d6ad246a845bad791b5693a9d0d55dd391");
	hash_free(NULL);
}
