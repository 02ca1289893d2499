/* file_regex: what Python's re answers; each expectation was taken from it. */
#include "core/entry/file_regex.h"
#include "tests/unit/entry_case.h"

Test(file_regex, answers_as_python_does)
{
	static const struct entry_case cases[] = {
		{ "HTTP-Fab.p.application.pdf.pdf",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=application subtype=pdf "
		  "extension=pdf mime=application/pdf" },
		/* the lazy pcap shifts the type when a stem has a dot */
		{ "HTTP-Fab.day.one.application.pdf.pdf",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=day media_type=one.application subtype=pdf "
		  "extension=pdf mime=one.application/pdf" },
		/* a type that is spelled out is taken although a longer one would match */
		{ "HTTP-Fab.p.text.vnd.a.b",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=text subtype=vnd.a extension=b "
		  "mime=text/vnd.a" },
		{ "HTTP-Fab.p.texts.vnd.a.b",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=texts.vnd subtype=a extension=b "
		  "mime=texts.vnd/a" },
		/* ... unless nothing would be left for what follows */
		{ "HTTP-Fab.p.x.text.a", "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=x "
					 "subtype=text extension=a mime=x/text" },
		/* a known protocol ends at its dash, another one at the last dash that works */
		{ "HTTP-Fab.p-Fcd.q.a.b.c",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p-Fcd media_type=q.a subtype=b extension=c "
		  "mime=q.a/b" },
		{ "SMB-Fab.p-Fcd.q.a.b.c",
		  "broapt-exact protocol=SMB-Fab.p fuid=Fcd pcap=q media_type=a "
		  "subtype=b extension=c mime=a/b" },
		{ "SMB-Fab.p-Fcd.q.a.b",
		  "broapt-exact protocol=SMB fuid=Fab pcap=p-Fcd media_type=q "
		  "subtype=a extension=b mime=q/a" },
		{ "http-fab.p.TEXT.Plain.TXT",
		  "broapt-exact protocol=http fuid=fab pcap=p media_type=TEXT "
		  "subtype=Plain extension=TXT mime=text/plain" },
		/* not anchored at the end: the run of \S ends the match */
		{ "HTTP-Fab.a b.text.plain.txt (1)",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=a b media_type=text subtype=plain "
		  "extension=txt mime=text/plain" },
		{ "HTTP-Fab.p.a.b\u2003.text.plain.txt",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p.a.b\u2003 media_type=text subtype=plain "
		  "extension=txt mime=text/plain" },
		/* bytes that are no UTF-8 are \S and . but not \w */
		{ "\xff-Fab.\xfe.a\x80.b\xc3.c",
		  "broapt-exact protocol=\xff fuid=Fab pcap=\xfe media_type=a\x80 subtype=b\xc3 "
		  "extension=c" },
		{ "HTTP-Fa\xff.p.a.b.c", "no match" },
		{ "HTTP-Fa\u00e9.p.a.b.c",
		  "broapt-exact protocol=HTTP fuid=Fa\u00e9 pcap=p media_type=a "
		  "subtype=b extension=c mime=a/b" },
		/* U+0131 is an i to Python, so this is a type that is spelled out */
		{ "HTTP-Fab.p.aud\u0131o.x.y.z",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=aud\u0131o subtype=x.y "
		  "extension=z" },
		{ "HTTP-Fab.p......exe", "broapt-exact protocol=HTTP fuid=Fab pcap=p media_type=.. "
					 "subtype=. extension=exe" },
		{ "HTTP-Fab.a\n.text.plain.txt", "no match" },
		{ "HTTP-Fab.\n.text.plain.txt", "no match" },
		{ "HTTP-Fab..text.plain.txt", "no match" },
		{ "HTTP-Fab...text.plain.txt",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=. media_type=text "
		  "subtype=plain extension=txt mime=text/plain" },
		{ "HT TP-Fab.p.text.plain.txt", "no match" },
		{ "HTTP-F.p.text.plain.txt", "no match" },
		{ "-Fab.p.text.plain.txt", "no match" },
		{ "HTTP-Fab.application.msword.docx", "no match" },
		{ "HTTP-Fab.stem...exe", "no match" },
		{ "HTTP-Fab", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("broapt-exact", cases);
}

Test(file_regex, exact_looks_at_the_base_name_alone)
{
	static const struct entry_case cases[] = {
		{ "application/pdf/HTTP-Fab.a.b.application.pdf.pdf",
		  "broapt-exact protocol=HTTP fuid=Fab pcap=a media_type=b.application subtype=pdf "
		  "extension=pdf mime=b.application/pdf" },
		{ "HTTP-Fab.p.text.plain.txt/", "no match" },
		{ ".HTTP-Fab.p.text.plain.txt.aB3dE9",
		  "broapt-exact protocol=.HTTP fuid=Fab pcap=p media_type=text subtype=plain.txt "
		  "extension=aB3dE9 mime=text/plain.txt" },
	};
	ENTRY_CASES("broapt-exact", cases);
}

Test(file_regex, head_is_the_leftmost_fuid)
{
	struct slice name = { "a-b-Fx-Fy.-Fz.q", 15 };
	struct reading reading = { 0 };
	size_t behind = file_regex_head(name, &reading);
	cr_expect_eq(behind, 10);
	cr_expect_eq(reading.protocol.len, strlen("a-b-Fx"));
	cr_expect_eq(memcmp(reading.fuid.at, "Fy", reading.fuid.len), 0);
	cr_expect_eq(file_regex_head((struct slice){ "a b-Fx.", 7 }, &reading), 0);
}

/* Steps, not time, would be the honest measure; what a backtracking engine needs for these is so
 * far beyond the limit of a test that mere termination tells. */
Test(file_regex, names_that_invite_backtracking_are_answered)
{
	static const char *const pieces[] = { "-Fa.",	   ".",	     "-",  "a-",   "a.",
					      "-F\u4e2d.", "-Fa.\n", ". ", "text." };

	enum {
		LENGTH = 1 << 20
	};

	AUTO_FREE char *name = xcalloc(1, LENGTH);
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct reading reading;
		size_t period = strlen(pieces[i]);
		for (size_t at = 0; at < LENGTH; at++)
			name[at] = pieces[i][at % period];
		memcpy(name, "x-Fa.", 5);
		name[LENGTH - 1] = ' ';
		(void)file_regex_match((struct slice){ name, LENGTH }, &reading);
		cr_expect(file_regex_head((struct slice){ name, LENGTH }, &reading) > 0);
	}
}
