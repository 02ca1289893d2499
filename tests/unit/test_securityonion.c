/* securityonion: both stages. */
#include "tests/unit/entry_case.h"

Test(securityonion, names)
{
	static const struct entry_case cases[] = {
		{ "/nsm/zeek/extracted/complete/HTTP-Fab-" MD5 ".exe",
		  "securityonion-complete protocol=HTTP fuid=Fab extension=exe hash=" MD5 },
		{ "/nsm/zeek/extracted/HTTP-Fab.exe",
		  "securityonion-extracted protocol=HTTP fuid=Fab extension=exe" },
		{ "HTTP-Fab-" SHA1 ".exe", "no match" },
		{ "HTTP-Fab-.exe", "no match" },
		{ "HTTP-Fab-" MD5, "no match" },
		{ "HTTP-Fab-" MD5 ".tar.gz", "no match" },
		{ "HTTP-Fab.application.msword.docx", "no match" },
		{ "HTTP-" MD5 ".exe", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("securityonion", cases);
}
