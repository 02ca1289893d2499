#include <criterion/criterion.h>
#include <string.h>

#include "core/detect/mismatch.h"

#define PE    "application/x-dosexec"
#define ELF   "application/x-pie-executable"
#define SHELL "text/x-shellscript"

Test(mismatch, tells_what_matters)
{
	static const struct {
		const char *declared, *real, *word;
	} rows[] = {
		{ "image/png", PE, "program" },
		{ "image/svg+xml", ELF, "program" },
		{ "text/plain", PE, "program" },
		{ "text/html", "application/x-mach-binary", "program" },
		{ "application/pdf", PE, "program" },
		{ "application/msword", PE, "program" },
		{ "application/vnd.ms-excel.sheet.macroenabled.12", PE, "program" },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document", PE,
		  "program" },
		{ "application/json", ELF, "program" },
		{ "video/mp4", SHELL, "script" },
		{ "application/pdf", "text/x-msdos-batch", "script" },
		/* a script is text */
		{ "text/plain", SHELL, NULL },
		{ "text/html", "text/x-php", NULL },
		{ "application/json", "application/javascript", NULL },
		{ "image/png", "application/javascript", NULL },
		/* nothing is declared */
		{ "", PE, NULL },
		{ "application/octet-stream", PE, NULL },
		/* what it is, by another name */
		{ "application/x-msdownload", PE, NULL },
		{ "application/vnd.microsoft.portable-executable", PE, NULL },
		{ "application/x-sharedlib", ELF, NULL },
		/* harmless, and common */
		{ "image/png", "image/jpeg", NULL },
		{ "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		  "application/zip", NULL },
		{ "application/java-archive", "application/zip", NULL },
		{ "image/svg+xml", "text/xml", NULL },
		{ "application/zip", PE, NULL },
		{ "text/plain", "text/html", NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = mismatch(rows[i].declared, rows[i].real);
		cr_expect(rows[i].word ? got && strcmp(got, rows[i].word) == 0 : !got,
			  "%s as %s: %s", rows[i].real, rows[i].declared, got ? got : "nothing");
	}
}
