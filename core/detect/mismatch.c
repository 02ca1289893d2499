/*
 * mismatch: see mismatch.h.
 *
 * The names of real types are those that libmagic 5.44 gives (its magic files: msdos, elf, mach,
 * commands, python, ...). application/javascript is no script here: it is what web servers declare
 * as text/html, text/plain and application/json all day long, and libmagic takes text for it.
 */
#include "core/detect/mismatch.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>

static const char *const programs[] = {
	"application/x-dosexec",     "application/vnd.microsoft.portable-executable",
	"application/x-msdownload",  "application/x-ms-dos-executable",
	"application/x-executable",  "application/x-pie-executable",
	"application/x-sharedlib",   "application/x-mach-binary",
	"application/x-ms-shortcut", NULL,
};

/* By their first line (#!) or their header, as libmagic tells them. */
static const char *const scripts[] = {
	"text/x-shellscript", "text/x-msdos-batch", "text/x-php", "text/x-script.python",
	"text/x-perl",	      "text/x-ruby",	    NULL,
};

static const char *const media[] = { "image/*", "audio/*", "video/*", "font/*", NULL };

static const char *const documents[] = {
	"application/pdf",
	"application/rtf",
	"application/msword",
	"application/vnd.ms-excel*",
	"application/vnd.ms-powerpoint*",
	"application/vnd.ms-word*",
	"application/vnd.ms-office*",
	"application/vnd.openxmlformats-officedocument.*",
	"application/vnd.oasis.opendocument.*",
	"application/epub+zip",
	NULL,
};

static const char *const texts[] = {
	"text/*", "application/xml", "application/json", "application/xhtml+xml", NULL,
};

static bool among(const char *const *globs, const char *type)
{
	while (*globs && fnmatch(*globs, type, 0) != 0)
		globs++;
	return *globs != NULL;
}

const char *mismatch(const char *declared, const char *real)
{
	bool looked_at = among(media, declared) || among(documents, declared);
	if (among(programs, real))
		return looked_at || among(texts, declared) ? "program" : NULL;
	if (among(scripts, real))
		return looked_at ? "script" : NULL;
	return NULL;
}
