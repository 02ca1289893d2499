/* broapt: BroAPT's names as they are meant, where its own pattern misreads or rejects them. */
#include "tests/unit/entry_case.h"

#define HEAD "protocol=HTTP fuid=Fab "

Test(broapt, a_type_that_the_pattern_names_wins_over_dots_in_the_stem)
{
	static const struct entry_case cases[] = {
		{ "HTTP-Fab.p.application.pdf.pdf",
		  "broapt " HEAD "pcap=p media_type=application "
		  "subtype=pdf extension=pdf mime=application/pdf" },
		{ "HTTP-Fab.day.one.application.pdf.pdf",
		  "broapt " HEAD "pcap=day.one media_type=application subtype=pdf extension=pdf "
		  "mime=application/pdf" },
		{ "HTTP-Fab.p.image.vnd.microsoft.icon.ico",
		  "broapt " HEAD "pcap=p media_type=image subtype=vnd.microsoft.icon extension=ico "
		  "mime=image/vnd.microsoft.icon" },
		{ "SMTP-fx_1.2019.05.01.application.vnd.openxmlformats-officedocument.wordprocessingml."
		  "document.docx",
		  "broapt protocol=SMTP fuid=fx_1 pcap=2019.05.01 media_type=application "
		  "subtype=vnd.openxmlformats-officedocument.wordprocessingml.document extension=docx "
		  "mime=application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
		/* the leftmost one */
		{ "HTTP-Fab.a.image.b.text.plain.txt",
		  "broapt " HEAD "pcap=a media_type=image subtype=b.text.plain extension=txt "
		  "mime=image/b.text.plain" },
		/* as a pcap it must be followed by a type; here the first one is */
		{ "HTTP-Fab.text.text.html.html",
		  "broapt " HEAD "pcap=text media_type=text subtype=html "
		  "extension=html mime=text/html" },
		{ "HTTP-Fab.p.Application.PDF.Pdf",
		  "broapt " HEAD "pcap=p media_type=Application "
		  "subtype=PDF extension=Pdf mime=application/pdf" },
		/* the first fuid, where the pattern would take the last */
		{ "SMB-Fab.p-Fcd.q.text.plain.txt",
		  "broapt protocol=SMB fuid=Fab pcap=p-Fcd.q media_type=text subtype=plain extension=txt "
		  "mime=text/plain" },
	};
	ENTRY_CASES("broapt", cases);
}

Test(broapt, without_a_named_type_the_pattern_answers)
{
	static const struct entry_case cases[] = {
		{ "HTTP-Fab.p.chemical.x-pdb.pdb",
		  "broapt " HEAD "pcap=p media_type=chemical "
		  "subtype=x-pdb extension=pdb mime=chemical/x-pdb" },
		{ "HTTP-Fab.a.b.chemical.x-pdb.pdb",
		  "broapt " HEAD "pcap=a media_type=b.chemical subtype=x-pdb extension=pdb "
		  "mime=b.chemical/x-pdb" },
		{ "HTTP-Fab.a\nb.text.plain.txt", "no match" },
		{ "HTTP-Fab.msword.docx", "no match" },
		{ "HTTP-Fab.exe", "no match" },
		{ "mail", "no match" },
		{ "", "no match" },
	};
	ENTRY_CASES("broapt", cases);
}

Test(broapt, the_directory_decides_when_the_tail_agrees)
{
	static const struct entry_case cases[] = {
		{ "/dump/chemical/x-pdb/HTTP-Fab.a.b.chemical.x-pdb.pdb",
		  "broapt " HEAD "pcap=a.b media_type=chemical subtype=x-pdb extension=pdb "
		  "mime=chemical/x-pdb" },
		{ "application/pdf/HTTP-Fab.my.text.notes.v1.application.pdf.pdf",
		  "broapt " HEAD
		  "pcap=my.text.notes.v1 media_type=application subtype=pdf extension=pdf "
		  "mime=application/pdf" },
		{ "application/vnd.ms-excel/HTTP-Fab.text.application.vnd.ms-excel.xls",
		  "broapt " HEAD
		  "pcap=text media_type=application subtype=vnd.ms-excel extension=xls "
		  "mime=application/vnd.ms-excel" },
		{ "Application/PDF/HTTP-Fab.p.q.application.pdf.pdf",
		  "broapt " HEAD "pcap=p.q media_type=application subtype=pdf extension=pdf "
		  "mime=application/pdf" },
		{ "chemical/x-pdb/HTTP-Fab.chemical.x-pdb.pdb",
		  "broapt-doc " HEAD
		  "media_type=chemical subtype=x-pdb extension=pdb mime=chemical/x-pdb" },
		/* it does not agree */
		{ "text/plain/HTTP-Fab.day.one.application.pdf.pdf",
		  "broapt " HEAD "pcap=day.one media_type=application subtype=pdf extension=pdf "
		  "mime=application/pdf" },
		{ "chemical/x-pdb/HTTP-Fab.p.xchemical.x-pdb.pdb",
		  "broapt " HEAD "pcap=p media_type=xchemical subtype=x-pdb extension=pdb "
		  "mime=xchemical/x-pdb" },
		{ "x-pdb/HTTP-Fab.a.b.chemical.x-pdb.pdb",
		  "broapt " HEAD "pcap=a media_type=b.chemical subtype=x-pdb extension=pdb "
		  "mime=b.chemical/x-pdb" },
		/* directories that are no types */
		{ "../../HTTP-Fab.p.........exe",
		  "broapt " HEAD "pcap=p media_type=..... subtype=. extension=exe" },
	};
	ENTRY_CASES("broapt", cases);
}

Test(broapt, the_uuid_ends_the_pcap_part)
{
	static const struct entry_case cases[] = {
		{ "HTTP-Fab.my.text.notes-" UUID4 ".application.pdf.pdf",
		  "broapt " HEAD "pcap=my.text.notes-" UUID4 " media_type=application subtype=pdf "
		  "extension=pdf mime=application/pdf" },
		{ "HTTP-Fab.a.b-" UUID4 ".chemical.vnd.x.pdb",
		  "broapt " HEAD "pcap=a.b-" UUID4
		  " media_type=chemical subtype=vnd.x extension=pdb "
		  "mime=chemical/vnd.x" },
		/* the last one: a stem may hold one, a type does not */
		{ "HTTP-Fab.a-" UUID4 ".text.b-" UUID4 ".image.png.png",
		  "broapt " HEAD "pcap=a-" UUID4 ".text.b-" UUID4 " media_type=image subtype=png "
		  "extension=png mime=image/png" },
		/* version 1: not one of Core's */
		{ "HTTP-Fab.a-0b1c2d3e-4f50-1a61-8b72-8394a5b6c7d8.chemical.vnd.x.pdb",
		  "broapt " HEAD
		  "pcap=a-0b1c2d3e-4f50-1a61-8b72-8394a5b6c7d8 media_type=chemical.vnd "
		  "subtype=x extension=pdb mime=chemical.vnd/x" },
	};
	ENTRY_CASES("broapt", cases);
}

Test(broapt, flat_mode_has_no_type)
{
	static const struct entry_case cases[] = {
		{ "HTTP-Fab.p-" UUID4 "...exe",
		  "broapt-flat " HEAD "pcap=p-" UUID4 " extension=exe" },
		{ "HTTP-Fab.unknown...dat", "broapt-flat " HEAD "pcap=unknown extension=dat" },
		{ "HTTP-Fab.day.one-" UUID4 "...exe",
		  "broapt-flat " HEAD "pcap=day.one-" UUID4 " extension=exe" },
		{ "HTTP-Fab.my.text.x-" UUID4 "...exe",
		  "broapt-flat " HEAD "pcap=my.text.x-" UUID4 " extension=exe" },
		/* three dots, no more, no less */
		{ "HTTP-Fab.p....exe", "no match" },
		{ "HTTP-Fab.p..exe", "no match" },
		{ "HTTP-Fab...exe", "no match" },
		{ "HTTP-Fab.p......exe",
		  "broapt " HEAD "pcap=p media_type=.. subtype=. extension=exe" },
		{ "HTTP-Fab.p...", "no match" },
	};
	ENTRY_CASES("broapt", cases);
}

Test(broapt, the_documented_form_has_no_pcap)
{
	static const struct entry_case cases[] = {
		{ "HTTP-F3Df5B3z9UI3yi5J03.application.msword.docx",
		  "broapt-doc protocol=HTTP fuid=F3Df5B3z9UI3yi5J03 media_type=application "
		  "subtype=msword extension=docx mime=application/msword" },
		{ "HTTP-Fab.application.vnd.ms-excel.xls",
		  "broapt-doc " HEAD "media_type=application subtype=vnd.ms-excel extension=xls "
		  "mime=application/vnd.ms-excel" },
		{ "HTTP-Fab.application.vnd.oasis.opendocument.text.odt",
		  "broapt-doc " HEAD "media_type=application subtype=vnd.oasis.opendocument.text "
		  "extension=odt mime=application/vnd.oasis.opendocument.text" },
		/* not with any word for a type */
		{ "HTTP-Fab.chemical.x-pdb.pdb", "no match" },
	};
	ENTRY_CASES("broapt", cases);
}
