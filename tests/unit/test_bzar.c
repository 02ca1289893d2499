/* bzar: ids of connection and file, then an attacker's path. */
#include "tests/unit/entry_case.h"

Test(bzar, names)
{
	static const struct entry_case cases[] = {
		{ "CR7Vww4_FwVZpk1__admin-pc_c$temp_mimikatz.exe",
		  "bzar fuid=FwVZpk1 extension=exe conn_uid=CR7Vww4" },
		{ "C1a_F2b__host_ADMIN$PSEXESVC.exe", "bzar fuid=F2b extension=exe conn_uid=C1a" },
		{ "C1a_F2b__h_s_it's \"a\" \xff\n$(id)", "bzar fuid=F2b conn_uid=C1a" },
		{ "C1a_F2b__h_s.d_file", "bzar fuid=F2b conn_uid=C1a" },
		{ "C1a_F2b__h_s_file.", "bzar fuid=F2b conn_uid=C1a" },
		{ "C1a_F2b__", "no match" },
		{ "C1a_F2b_", "no match" },
		{ "C1a_F2b", "no match" },
		{ "Cat_Food_recipes.txt", "no match" },
		{ "F2b_C1a__x", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("bzar", cases);
}
