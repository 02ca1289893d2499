/* scheme: the set of all schemes, and which of them takes a name that several could. */
#include "core/entry/scheme.h"
#include "tests/unit/entry_case.h"

Test(scheme, each_producer_is_recognised_among_all)
{
	static const struct entry_case cases[] = {
		{ "HTTP-F1.s.application.x-dosexec.exe",
		  "broapt protocol=HTTP fuid=F1 pcap=s media_type=application subtype=x-dosexec "
		  "extension=exe mime=application/x-dosexec" },
		{ "HTTP-F1.application.msword.docx",
		  "broapt-doc protocol=HTTP fuid=F1 media_type=application subtype=msword extension=docx "
		  "mime=application/msword" },
		{ "HTTP-F1.s-" UUID4 "...exe",
		  "broapt-flat protocol=HTTP fuid=F1 pcap=s-" UUID4 " extension=exe" },
		{ "smtp-entity_10.10.1.4:1470-192.0.2.153:25_1.dat",
		  "zeek-2.0 protocol=smtp extension=dat orig_h=10.10.1.4 resp_h=192.0.2.153" },
		{ "extract-HTTP-F1", "zeek-2.2 protocol=HTTP fuid=F1" },
		{ "extract-1.5-HTTP-F1", "zeek-2.4 protocol=HTTP fuid=F1 ts=1.5" },
		{ "HTTP-F1.exe", "zeek-source-fuid-ext protocol=HTTP fuid=F1 extension=exe" },
		{ "HTTP-" MD5 ".exe",
		  "zeek-source-hash-ext protocol=HTTP extension=exe hash=" MD5 },
		{ "HTTP-F1-C1-20190402105425.exe",
		  "malcolm protocol=HTTP fuid=F1 extension=exe conn_uid=C1 ts=20190402105425" },
		{ "HTTP-F1-" MD5 ".exe",
		  "securityonion-complete protocol=HTTP fuid=F1 extension=exe hash=" MD5 },
		{ "ab/" SHA256, "suricata-v2 hash=" SHA256 },
		{ "file.1", "suricata-v1" },
		{ "ab/" SHA256 ".1.2.json", "sidecar" },
		{ "tmp/file.1", "work file" },
		{ "C1_F1__host_share_x.exe", "bzar fuid=F1 extension=exe conn_uid=C1" },
		{ "123S^E^PHTTPS^E^PC1S^E^PF1S^E^PhS^E^PrS^E^Pa%2FbS^E^P",
		  "strelka protocol=HTTP fuid=F1 media_type=a subtype=b conn_uid=C1 orig_h=h resp_h=r "
		  "mime=a/b" },
	};
	ENTRY_CASES(NULL, cases);
	ENTRY_CASES("auto", cases);
}

/* Names that BroAPT's greedy pattern matches as well, or that two producers could have written. */
Test(scheme, the_specific_scheme_wins)
{
	static const struct entry_case cases[] = {
		{ "HTTP-F1-C1-20190402105425.vnd.a.b.c",
		  "malcolm protocol=HTTP fuid=F1 extension=vnd.a.b.c conn_uid=C1 ts=20190402105425" },
		{ "C1_F1__h_s_x-Fa.p.text.plain.txt", "bzar fuid=F1 extension=txt conn_uid=C1" },
		{ "123S^E^PSMTPS^E^PC1S^E^PF1S^E^PhS^E^PrS^E^Ptext%2FplainS^E^Px-Fa.p.text.plain.txt",
		  "strelka protocol=SMTP fuid=F1 media_type=text subtype=plain conn_uid=C1 orig_h=h "
		  "resp_h=r mime=text/plain" },
		/* the first stage of Security Onion is a name of Zeek's scripts */
		{ "extracted/HTTP-F1.exe",
		  "zeek-source-fuid-ext protocol=HTTP fuid=F1 extension=exe" },
		/* a digest that begins with f looks like a fuid without regard to case */
		{ "HTTP-f"
		  "e04a788281c727566873d9df263aec1.exe",
		  "zeek-source-hash-ext protocol=HTTP extension=exe hash=fe04a788281c727566873d9df263aec1" },
		/* these only resemble a specific form, and are BroAPT's */
		{ "HTTP-F1.vnd.ms-excel.text.plain.txt",
		  "broapt protocol=HTTP fuid=F1 pcap=vnd.ms-excel media_type=text subtype=plain "
		  "extension=txt mime=text/plain" },
		{ "extract-1.5-HTTP-F1.p.text.plain.txt",
		  "broapt protocol=extract-1.5-HTTP fuid=F1 pcap=p media_type=text subtype=plain "
		  "extension=txt mime=text/plain" },
		{ "HTTP-F1.file.1.text.plain.txt",
		  "broapt protocol=HTTP fuid=F1 pcap=file.1 media_type=text subtype=plain extension=txt "
		  "mime=text/plain" },
		{ "ab/file.1-F1.p.text.plain.txt",
		  "broapt protocol=file.1 fuid=F1 pcap=p media_type=text subtype=plain extension=txt "
		  "mime=text/plain" },
		{ "HTTP-F1.unknown.application.octet-stream.dat",
		  "broapt protocol=HTTP fuid=F1 pcap=unknown media_type=application "
		  "subtype=octet-stream extension=dat mime=application/octet-stream" },
	};
	ENTRY_CASES(NULL, cases);
}

Test(scheme, names_without_structure_match_nothing)
{
	static const struct entry_case cases[] = {
		{ "1", "no match" },	 { "mail", "no match" },
		{ "file0", "no match" }, { "FakNcS1Jfe01uljb3-file", "no match" },
		{ SHA256, "no match" },	 { "Readme-First.txt", "no match" },
		{ "ab/", "no match" },	 { "/", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES(NULL, cases);
}

Test(scheme, rsyncs_temporary_names_are_work_files)
{
	static const struct entry_case all[] = {
		{ "text/plain/.HTTP-F1.s.text.plain.txt.aB3dE9", "work file" },
		{ ".extract-HTTP-F1.aB3dE9", "work file" },
		{ "ab/." SHA256 ".aB3dE9", "work file" },
		{ "ab/." SHA256 ".1.2.json.aB3dE9", "work file" },
		/* only when the name inside is one: nothing is to be overlooked for its form alone
		 */
		{ ".bashrc.backup", "no match" },
		{ ".mail.aB3dE9", "no match" },
		{ ".HTTP-F1.s.text.plain.txt",
		  "broapt protocol=.HTTP fuid=F1 pcap=s media_type=text subtype=plain extension=txt "
		  "mime=text/plain" },
	};
	static const struct entry_case pattern[] = { { ".F1.aB3dE9", "work file" },
						     { "F1", "broapt-pattern fuid=F1" } };
	ENTRY_CASES(NULL, all);
	ENTRY_CASES("(?<fuid>F\\w+)", pattern);
}

Test(scheme, one_scheme_alone_takes_only_its_names)
{
	static const struct entry_case cases[] = {
		{ "HTTP-F1.s.text.plain.txt", "no match" },
		{ "HTTP-F1-C1-20190402105425.exe", "no match" },
		{ "HTTP-F1-" MD5 ".exe", "no match" },
	};
	ENTRY_CASES("zeek", cases);
	ENTRY_CASES("bzar", cases);
	ENTRY_CASES("suricata", cases);
	ENTRY_CASES("strelka", cases);
}

Test(scheme, each_of_its_words_makes_a_set)
{
	size_t count = 0;
	for (const char *word; (word = scheme_word(count)); count++) {
		AUTO(scheme_set) struct scheme_set *set = NULL;
		struct error err = { 0 };
		struct entry entry;
		cr_expect_eq(scheme_set_new(&set, word, &err), 0, "%s", word);
		/* a pattern that happens to be a word would match this */
		cr_expect_eq(scheme_parse(set, word, strlen(word), &entry), SCHEME_NO_MATCH);
	}
	cr_expect_eq(count, 8);
}

Test(scheme, a_wrong_pattern_is_refused_with_words)
{
	struct scheme_set *set = NULL;
	struct error err = { 0 };
	cr_expect_lt(scheme_set_new(&set, "zeeek", &err), 0);
	cr_expect_null(set);
	cr_expect(strstr(err.text, "securityonion"), "%s", err.text);
	scheme_set_free(NULL);
}

Test(scheme, limits_are_counted_for_a_pattern)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	struct error err = { 0 };
	struct entry entry;
	char name[255];
	memset(name, 'x', sizeof name);
	cr_assert_eq(scheme_set_new(&set, "(?<fuid>(\\S+)+)[\\r\\t]", &err), 0);
	cr_expect_eq(scheme_parse(set, name, sizeof name, &entry), SCHEME_NO_MATCH);
	cr_expect_eq(scheme_limits_hit(set), 1);
}

/* What a close says where nobody can see writers. */
Test(scheme, names_of_producers_that_open_a_file_once_say_so)
{
	static const struct {
		const char *spec, *path;
		bool once;
	} cases[] = {
		{ NULL, "extract-1.5-HTTP-F1", true },
		{ NULL, "HTTP-F1.s.application.x-dosexec.exe", true },
		{ NULL, "HTTP-F1-C1-20190402105425.exe", true },
		{ NULL, "HTTP-F1-" MD5 ".exe", true },
		{ NULL, "C1_F1__host_share_x.exe", true },
		{ NULL, "123S^E^PHTTPS^E^PC1S^E^PF1S^E^PhS^E^PrS^E^Pa%2FbS^E^P", true },
		{ NULL, "ab/" SHA256, false },
		{ NULL, "ab/" SHA256 ".1.2.json", false },
		{ NULL, "file.1", false },
		{ NULL, "report.pdf", false },
		{ "broapt-exact", "HTTP-F1.s.application.x-dosexec.exe", true },
		{ "(?P<fuid>.*)", "HTTP-F1.s.application.x-dosexec.exe", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(scheme_set) struct scheme_set *set = NULL;
		struct entry entry;
		struct error err = { 0 };
		cr_assert_eq(scheme_set_new(&set, cases[i].spec, &err), 0, "%s", err.text);
		(void)scheme_parse(set, cases[i].path, strlen(cases[i].path), &entry);
		cr_expect_eq(entry.closed_once, cases[i].once, "%s", cases[i].path);
	}
}

Test(scheme, what_may_be_a_sidecar_is_told_without_the_rest)
{
	static const struct {
		const char *spec, *path;
		bool may;
	} cases[] = {
		{ NULL, "ab/" SHA256 ".1.2.json", true },
		{ NULL, "file.1.meta", true },
		{ "suricata", "file.1.meta", true },
		{ NULL, "ab/" SHA256, false },
		{ NULL, "HTTP-F1.s.application.x-dosexec.exe", false },
		{ "broapt", "file.1.meta", false },
		{ "(?P<fuid>.*)", "file.1.meta", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		AUTO(scheme_set) struct scheme_set *set = NULL;
		struct error err = { 0 };
		cr_assert_eq(scheme_set_new(&set, cases[i].spec, &err), 0, "%s", err.text);
		cr_expect_eq(scheme_may_be_sidecar(set, cases[i].path, strlen(cases[i].path)),
			     cases[i].may, "%s", cases[i].path);
	}
}

Test(scheme, the_entry_is_empty_when_nothing_matches)
{
	AUTO(scheme_set) struct scheme_set *set = NULL;
	struct error err = { 0 };
	struct entry entry;
	memset(&entry, 0xa5, sizeof entry);
	cr_assert_eq(scheme_set_new(&set, NULL, &err), 0);
	cr_expect_eq(scheme_parse(set, "mail", 4, &entry), SCHEME_NO_MATCH);
	cr_expect_null(entry.scheme);
	cr_expect_null(entry.field[ENTRY_HASH].at);
	cr_expect_eq(entry.mime[0], '\0');
	cr_expect_eq(scheme_limits_hit(set), 0);
}
