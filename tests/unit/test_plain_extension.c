#include <criterion/criterion.h>
#include <string.h>

#include "core/detect/plain_extension.h"

Test(plain_extension, is_what_a_program_would_see)
{
	static const struct {
		const char *name, *extension;
	} rows[] = {
		{ "a.pdf", "pdf" },
		{ "invoice.pdf.EXE", "EXE" },
		{ ".bashrc", "bashrc" },
		{ "a.tar.7z", "7z" },
		{ "noextension", NULL },
		{ "a.", NULL },
		{ "a.b c", NULL },
		{ "", NULL },
		{ "a.\xff", NULL },
		{ "a.abcdefghijklmnop", "abcdefghijklmnop" },
		{ "a.abcdefghijklmnopq", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct slice name = { .at = rows[i].name, .len = strlen(rows[i].name) };
		struct slice got = plain_extension(name);
		const char *want = rows[i].extension;
		cr_expect(want ? got.at && got.len == strlen(want) &&
					  memcmp(got.at, want, got.len) == 0
			       : !got.at,
			  "%s", rows[i].name);
	}
}
