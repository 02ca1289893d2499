/* digest: hashes of lists of fields. */
#include <criterion/criterion.h>

#include "core/detect/digest.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

Test(digest, hashes_as_fips_180_says)
{
	char hex[DIGEST_HEX];
	AUTO(digest) struct digest *digest = digest_new();
	digest_add(digest, "a", 1);
	digest_add(digest, NULL, 0);
	digest_add(digest, "bc", 2);
	digest_end_hex(digest, hex);
	cr_assert_str_eq(hex, ABC);
}

Test(digest, fields_do_not_run_together)
{
	char a[DIGEST_HEX], b[DIGEST_HEX], c[DIGEST_HEX], d[DIGEST_HEX];
	AUTO(digest) struct digest *digest = digest_new();
	digest_text(digest, "ab");
	digest_text(digest, "c");
	digest_end_hex(digest, a);
	digest_begin(digest);
	digest_text(digest, "a");
	digest_text(digest, "bc");
	digest_end_hex(digest, b);
	digest_begin(digest);
	digest_text(digest, NULL);
	digest_end_hex(digest, c);
	digest_begin(digest);
	digest_text(digest, "");
	digest_end_hex(digest, d);
	cr_assert_str_neq(a, b);
	cr_assert_str_neq(c, d);
}

Test(digest, free_accepts_null)
{
	digest_free(NULL);
}
