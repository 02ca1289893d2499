/* file_regex: see file_regex.h. */
#include "core/entry/file_regex.h"

#include <string.h>

#include "core/entry/pychar.h"

static const char *const protocols[] = { "dtls", "ftp_data", "http", "irc_data", "smtp", NULL };
static const char *const media_types[] = { "application", "audio",   "example", "font",
					   "image",	  "message", "model",	"multipart",
					   "text",	  "video",   NULL };

/* Where a run of \S is cut: media type . subtype . extension */
struct cut {
	size_t end;    /* of the run */
	size_t first;  /* the last dot that leaves a subtype and an extension */
	size_t second; /* the last dot that leaves an extension */
};

size_t slice_find(struct slice text, size_t from, size_t to, char byte)
{
	const char *found = from < to ? memchr(text.at + from, byte, to - from) : NULL;
	return found ? (size_t)(found - text.at) : to;
}

size_t slice_find_last(struct slice text, size_t from, size_t to, char byte)
{
	const char *found = from < to ? memrchr(text.at + from, byte, to - from) : NULL;
	return found ? (size_t)(found - text.at) : to;
}

/* Bytes of the first word of the list that matches at from and is followed by after; 0: none. */
static size_t match_word(struct slice text, size_t from, const char *const *words, char after)
{
	for (; *words; words++) {
		size_t len = pychar_literal(text, from, *words);
		if (len > 0 && from + len < text.len && text.at[from + len] == after)
			return len;
	}
	return 0;
}

/* F\w+\. behind the dash; the offset behind the dot, 0 when it does not match. */
static size_t match_fuid(struct slice text, size_t dash)
{
	size_t start = dash + 1;
	if (start >= text.len || (text.at[start] != 'F' && text.at[start] != 'f'))
		return 0;
	size_t end = pychar_word_end(text, start + 1);
	if (end == start + 1 || end >= text.len || text.at[end] != '.')
		return 0;
	return end + 1;
}

static void set_head(struct slice text, size_t dash, size_t behind, struct reading *out)
{
	out->protocol = slice_part(text, 0, dash);
	out->fuid = slice_part(text, dash + 1, behind - 1);
}

/* \S+\.\S+\.\S+ at from, all greedy. The run's end is known even if it does not match. */
static bool cut_run(struct slice text, size_t from, struct cut *out)
{
	size_t end = pychar_solid_end(text, from);
	*out = (struct cut){ .end = end };
	if (end < from + 5)
		return false;
	out->second = slice_find_last(text, from + 3, end - 1, '.');
	if (out->second == end - 1)
		return false;
	out->first = slice_find_last(text, from + 1, out->second - 1, '.');
	return out->first != out->second - 1;
}

static void set_type(struct slice text, size_t from, const struct cut *cut, struct reading *out)
{
	out->media_type = slice_part(text, from, cut->first);
	out->subtype = slice_part(text, cut->first + 1, cut->second);
	out->extension = slice_part(text, cut->second + 1, cut->end);
}

bool file_regex_named_type(struct slice text, size_t from, struct reading *out)
{
	struct cut cut;
	size_t len = match_word(text, from, media_types, '.');
	if (len == 0 || !cut_run(text, from, &cut))
		return false;
	/* not beyond the first dot that cut_run() found: the word itself holds none */
	cut.first = from + len;
	set_type(text, from, &cut, out);
	return true;
}

/* (?P<pcap>.+?) \. and the rest, from the place where pcap starts. */
static bool match_tail(struct slice text, size_t pcap, struct reading *out)
{
	struct cut cut = { 0 };
	size_t line_end = slice_find(text, pcap, text.len, '\n');
	for (size_t dot = pcap;;) {
		dot = slice_find(text, dot + 1, line_end, '.');
		if (dot >= line_end)
			return false;
		if (dot + 1 < cut.end)
			continue;
		if (!cut_run(text, dot + 1, &cut))
			continue;
		out->pcap = slice_part(text, pcap, dot);
		if (!file_regex_named_type(text, dot + 1, out))
			set_type(text, dot + 1, &cut, out);
		return true;
	}
}

/*
 * \S+ for a protocol, longest first. Linear: the fuids tried do not overlap, and match_tail() fails
 * only as long as there are fewer than four dots to the right in the run, each fuid bringing one.
 */
static bool match_any_protocol(struct slice text, struct reading *out)
{
	size_t run_end = pychar_solid_end(text, 0);
	for (size_t end = run_end;;) {
		size_t dash = slice_find_last(text, 1, end, '-');
		if (dash >= end)
			return false;
		size_t pcap = match_fuid(text, dash);
		if (pcap && match_tail(text, pcap, out)) {
			set_head(text, dash, pcap, out);
			return true;
		}
		end = dash;
	}
}

bool file_regex_match(struct slice text, struct reading *out)
{
	size_t len = match_word(text, 0, protocols, '-');
	size_t pcap = len ? match_fuid(text, len) : 0;
	if (pcap && match_tail(text, pcap, out)) {
		set_head(text, len, pcap, out);
		return true;
	}
	return match_any_protocol(text, out);
}

size_t file_regex_head(struct slice text, struct reading *out)
{
	size_t run_end = pychar_solid_end(text, 0);
	for (size_t dash = 0;;) {
		dash = slice_find(text, dash + 1, run_end, '-');
		if (dash >= run_end)
			return 0;
		size_t behind = match_fuid(text, dash);
		if (behind) {
			set_head(text, dash, behind, out);
			return behind;
		}
	}
}
