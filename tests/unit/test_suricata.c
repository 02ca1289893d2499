/* suricata: files, sidecars and work files of both versions of the file-store. */
#include "tests/unit/entry_case.h"

Test(suricata, v2_is_a_digest_in_its_directory)
{
	static const struct entry_case cases[] = {
		{ "ab/" SHA256, "suricata-v2 hash=" SHA256 },
		{ "/var/log/suricata/filestore/ab//" SHA256, "suricata-v2 hash=" SHA256 },
		{ "ab/" SHA256 ".1525123869.1.json", "sidecar" },
		{ "tmp/file.12", "work file" },
		{ "/x/tmp/file.12", "work file" },
		{ "ac/" SHA256, "no match" },
		{ "abc/" SHA256, "no match" },
		{ SHA256, "no match" },
		{ SHA256 ".1525123869.1.json", "no match" },
		{ "ab/" SHA256 "0", "no match" },
		{ "ab/" SHA256 ".1.json", "no match" },
		{ "ab/" SHA256 ".1.2.jsonx", "no match" },
		{ "ab/AB46C7B740A7A994608C4210AE8C4D253E49CC23CC8B63E89D0400EA83B1AE77",
		  "no match" },
	};
	ENTRY_CASES("suricata", cases);
}

Test(suricata, v1_is_numbered)
{
	static const struct entry_case cases[] = {
		{ "files/file.1", "suricata-v1" },
		{ "file.4711.1", "suricata-v1" },
		{ "file.1.meta", "sidecar" },
		{ "file.4711.1.meta", "sidecar" },
		{ "file.1.tmp", "work file" },
		{ "file.4711.1.tmp", "work file" },
		{ "file.1.meta.tmp", "work file" },
		{ "tmp/file.4711.1", "suricata-v1" },
		{ "file.", "no match" },
		{ "file.x", "no match" },
		{ "file.1.", "no match" },
		{ "file.1.2.3", "no match" },
		{ "file.1.tmp.meta", "no match" },
		{ "file0", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("suricata", cases);
}
