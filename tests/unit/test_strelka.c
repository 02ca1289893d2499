/* strelka: fields between separators. */
#include "tests/unit/entry_case.h"

#define S "S^E^P"

Test(strelka, names)
{
	static const struct entry_case cases[] = {
		{ "0046" S "HTTP" S "C5l" S "FT9" S "10.0.0.1" S "2001:db8::1" S
		  "application%2Fpdf" S,
		  "strelka protocol=HTTP fuid=FT9 media_type=application subtype=pdf conn_uid=C5l "
		  "orig_h=10.0.0.1 resp_h=2001:db8::1 mime=application/pdf" },
		/* what was not known is empty */
		{ "123" S S S "FT9" S S S S, "strelka fuid=FT9" },
		/* a later version: the subject of a mail, cut off where names end */
		{ "123456" S "SMTP" S "C5" S "FT" S "10.0.0.1" S "10.0.0.2" S "text%2Fplain" S
		  "Re: a.b-Fx.\xff" S,
		  "strelka protocol=SMTP fuid=FT media_type=text subtype=plain conn_uid=C5 "
		  "orig_h=10.0.0.1 resp_h=10.0.0.2 mime=text/plain" },
		{ "123" S "HTTP" S "C5" S "FT" S "10.0.0.1" S "10.0.0.2" S "text%2Fplain" S
		  "cut S^E",
		  "strelka protocol=HTTP fuid=FT media_type=text subtype=plain conn_uid=C5 "
		  "orig_h=10.0.0.1 resp_h=10.0.0.2 mime=text/plain" },
		/* a type that must not become a directory */
		{ "123" S "HTTP" S "C5" S "FT" S "h" S "r" S "..%2F.." S,
		  "strelka protocol=HTTP fuid=FT media_type=.. subtype=.. conn_uid=C5 orig_h=h resp_h=r" },
		{ "12" S "HTTP" S "C5" S "FT" S "h" S "r" S "a%2Fb" S, "no match" },
		{ "1234567" S "HTTP" S "C5" S "FT" S "h" S "r" S "a%2Fb" S, "no match" },
		{ "123" S "HTTP" S "C5" S "FT" S "h" S "r" S "a%2Fb", "no match" },
		{ "123" S "HTTP" S "C5" S "FT" S "h" S, "no match" },
		{ "123S^E", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("strelka", cases);
}
