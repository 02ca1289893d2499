/* malcolm: source, fuid, uid and time. */
#include "tests/unit/entry_case.h"

Test(malcolm, names)
{
	static const struct entry_case cases[] = {
		{ "SSL-FTnzwn4-CsRaviy-20190402105425.crt",
		  "malcolm protocol=SSL fuid=FTnzwn4 extension=crt conn_uid=CsRaviy ts=20190402105425" },
		{ "SMB-F1-unknown-20190402105425.dat",
		  "malcolm protocol=SMB fuid=F1 extension=dat ts=20190402105425" },
		{ "HTTP-F1-C2-20190402105425.vnd.oasis.opendocument.text",
		  "malcolm protocol=HTTP fuid=F1 extension=vnd.oasis.opendocument.text conn_uid=C2 "
		  "ts=20190402105425" },
		{ "HTTP-F1-C2-20190402105425.svg+xml",
		  "malcolm protocol=HTTP fuid=F1 extension=svg+xml conn_uid=C2 ts=20190402105425" },
		{ "HTTP-F1-C2-2019040210542.crt", "no match" },
		{ "HTTP-F1-C2-201904021054250.crt", "no match" },
		{ "HTTP-F1-C2-20190402105425", "no match" },
		{ "HTTP-F1-C2-20190402105425.", "no match" },
		{ "HTTP-F1-20190402105425.crt", "no match" },
		{ "HTTP-F1-D2-20190402105425.crt", "no match" },
		{ "HTTP-F1-C2-20190402105425.c\nt", "no match" },
		{ "HTTP-F1.crt", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("malcolm", cases);
}
