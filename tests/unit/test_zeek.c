/* zeek: the default names of every version since 2.0, and those of the scripts. */
#include "tests/unit/entry_case.h"

Test(zeek, item_files_of_2_0)
{
	static const struct entry_case cases[] = {
		{ "http-item_10.0.0.1:56730-192.0.2.7:80_resp_1.dat",
		  "zeek-2.0 protocol=http extension=dat orig_h=10.0.0.1 resp_h=192.0.2.7" },
		{ "http-item_10.0.0.1:56730-192.0.2.7:80_orig_12.dat",
		  "zeek-2.0 protocol=http extension=dat orig_h=10.0.0.1 resp_h=192.0.2.7" },
		{ "http-item_[2001:db8::1]:56730-[::ffff:192.0.2.7]:80_resp_1.dat",
		  "zeek-2.0 protocol=http extension=dat orig_h=2001:db8::1 resp_h=::ffff:192.0.2.7" },
		{ "ftp-item_10.0.0.1:1-10.0.0.2:2_3.dat",
		  "zeek-2.0 protocol=ftp extension=dat orig_h=10.0.0.1 resp_h=10.0.0.2" },
		{ "irc-dcc-item_10.0.0.1:1-10.0.0.2:2_3.dat",
		  "zeek-2.0 protocol=irc-dcc extension=dat orig_h=10.0.0.1 resp_h=10.0.0.2" },
		{ "smtp-entity_10.0.0.1:1-10.0.0.2:2_3.dat",
		  "zeek-2.0 protocol=smtp extension=dat orig_h=10.0.0.1 resp_h=10.0.0.2" },
		{ "http-item_10.0.0.1:1-10.0.0.2:2_3.dat", "no match" },
		{ "smtp-entity_10.0.0.1:1-10.0.0.2:2_resp_3.dat", "no match" },
		{ "ftp-item_10.0.0.1:1-10.0.0.2:2_3.dat.tmp", "no match" },
		{ "ftp-item_10.0.0.1:1-10.0.0.2:2_3.exe", "no match" },
		{ "ftp-item_10.0.0.1-10.0.0.2_3.dat", "no match" },
		{ "ftp-item_[10.0.0.1:1-10.0.0.2:2_3.dat", "no match" },
		{ "ftp-item_", "no match" },
	};
	ENTRY_CASES("zeek", cases);
}

Test(zeek, extract_files_without_and_with_time)
{
	static const struct entry_case cases[] = {
		{ "extract-HTTP-FQ3rKF1tRJ5XnHhLSc",
		  "zeek-2.2 protocol=HTTP fuid=FQ3rKF1tRJ5XnHhLSc" },
		{ "spool/extract_files/worker-1/extract-1258867934.558264-FTP_DATA-F2xow8",
		  "zeek-2.4 protocol=FTP_DATA fuid=F2xow8 ts=1258867934.558264" },
		{ "extract-1679396113.288-KRB_TCP-F1",
		  "zeek-2.4 protocol=KRB_TCP fuid=F1 ts=1679396113.288" },
		{ "extract-1679396113-ZIP-F1", "zeek-2.4 protocol=ZIP fuid=F1 ts=1679396113" },
		{ "extract-1679396113.-HTTP-F1", "no match" },
		{ "extract-.288-HTTP-F1", "no match" },
		{ "extract--HTTP-F1", "no match" },
		{ "extract-HTTP-F", "no match" },
		{ "extract-HTTP-C1", "no match" },
		{ "extract-HTTP-F1.exe", "no match" },
		{ "extract-HTTP-F1 ", "no match" },
		{ "extract-", "no match" },
		{ "e", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("zeek", cases);
}

Test(zeek, names_of_scripts)
{
	static const struct entry_case cases[] = {
		{ "HTTP-FGYKX64SkXc4OcvlFf.exe",
		  "zeek-source-fuid-ext protocol=HTTP fuid=FGYKX64SkXc4OcvlFf extension=exe" },
		{ "SMTP-Fab.svg+xml",
		  "zeek-source-fuid-ext protocol=SMTP fuid=Fab extension=svg+xml" },
		{ "HTTP-Fab.vnd.ms-cab-compressed",
		  "zeek-source-fuid-ext protocol=HTTP fuid=Fab extension=vnd.ms-cab-compressed" },
		{ "HTTP-" MD5 ".exe",
		  "zeek-source-hash-ext protocol=HTTP extension=exe hash=" MD5 },
		{ "HTTP-" SHA1 ".exe",
		  "zeek-source-hash-ext protocol=HTTP extension=exe hash=" SHA1 },
		{ "HTTP-" SHA256 ".exe",
		  "zeek-source-hash-ext protocol=HTTP extension=exe hash=" SHA256 },
		{ "HTTP-" MD5 "0.exe", "no match" },
		{ "HTTP-9E04A788281C727566873D9DF263AEC1.exe", "no match" },
		{ "HTTP-Fab.tar.gz", "no match" },
		{ "HTTP-Fab.vnd.a.b.c", "no match" },
		{ "HTTP-Fab.", "no match" },
		{ "HTTP-Fab", "no match" },
		{ "http-Fab.exe", "no match" },
		{ "my-File.txt", "no match" },
		{ "HTTP-Fa_b.exe", "no match" },
		{ "HTTP-Fab.e\xffxe", "no match" },
	};
	ENTRY_CASES("zeek", cases);
}

Test(zeek, names_without_structure_are_not_guessed)
{
	static const struct entry_case cases[] = {
		{ "1", "no match" },
		{ "mail", "no match" },
		{ "file0", "no match" },
		{ "FakNcS1Jfe01uljb3-file", "no match" },
	};
	ENTRY_CASES("zeek", cases);
}
