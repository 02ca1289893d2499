/*
 * File names: every scheme alone, all of them together, and patterns of users.
 *
 * What must hold: the same name gives the same entry; fields lie inside the name; a MIME is made of
 * RFC 6838's characters; the JSON is one ASCII object that gives back the name and each field byte
 * by byte, as Python's surrogateescape does.
 */
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/entry/name.h"
#include "core/entry/scheme.h"
#include "core/entry/sidecar.h"
#include "tests/fuzz/fuzz.h"

#define SETS_MAX 16

static struct scheme_set *sets[SETS_MAX];
static size_t set_count;

static void make_sets(void)
{
	static const char *const own[] = {
		"auto",
		"(?<protocol>[A-Z]+)_(?<fuid>F\\w+)\\.(?<extension>\\w+)$",
		"(?<hash>[0-9a-f]{32,64})|(?<ts>\\d+)(?<conn_uid>C\\w+)?",
	};
	struct error err = { 0 };
	for (size_t i = 0; scheme_word(i); i++)
		must(scheme_set_new(&sets[set_count++], scheme_word(i), &err) == 0);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		must(scheme_set_new(&sets[set_count++], own[i], &err) == 0);
	must(set_count <= SETS_MAX);
}

/* The bytes that a JSON text stands for: U+DC80 to U+DCFF are single bytes. The text is ASCII, and
 * its escapes are four digits. */
static void decode(struct str *out, const char *json, const char *end)
{
	while (json < end) {
		unsigned unit;
		unsigned low;
		static const char plain[] = "\"\\/bfnrt";
		static const char meant[] = "\"\\/\b\f\n\r\t";
		if (*json != '\\') {
			str_putc(out, *json++);
			continue;
		}
		if (json[1] != 'u') {
			must(strchr(plain, json[1]));
			str_putc(out, meant[strchr(plain, json[1]) - plain]);
			json += 2;
			continue;
		}
		must(sscanf(json + 2, "%4x", &unit) == 1);
		json += 6;
		if (unit >= 0xd800 && unit < 0xdc00) {
			must(sscanf(json, "\\u%4x", &low) == 1 && low >= 0xdc00 && low < 0xe000);
			json += 6;
			unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
		}
		if (unit >= 0xdc80 && unit <= 0xdcff) {
			str_putc(out, (char)(unit - 0xdc00));
		} else if (unit < 0x80) {
			str_putc(out, (char)unit);
		} else {
			must(unit < 0xd800 || unit > 0xdfff);
			if (unit >= 0x10000)
				str_putc(out, (char)(0xf0 | unit >> 18));
			if (unit >= 0x10000)
				str_putc(out, (char)(0x80 | (unit >> 12 & 0x3f)));
			else if (unit >= 0x800)
				str_putc(out, (char)(0xe0 | unit >> 12));
			if (unit >= 0x800)
				str_putc(out, (char)(0x80 | (unit >> 6 & 0x3f)));
			else
				str_putc(out, (char)(0xc0 | unit >> 6));
			str_putc(out, (char)(0x80 | (unit & 0x3f)));
		}
	}
}

/* The value of a key, which stands once, as bytes; false: it is null. */
static bool value_of(const char *json, const char *key, struct str *out)
{
	char wanted[64];
	(void)snprintf(wanted, sizeof wanted, "\"%s\":", key);
	const char *at = json + 1;
	/* keys stand outside texts only: go from key to key */
	while (strncmp(at, wanted, strlen(wanted)) != 0) {
		must(*at == '"');
		at = strchr(at + 1, '"') + 2;
		if (*at == '"') {
			for (at++; *at != '"'; at++)
				at += *at == '\\';
			at++;
		} else {
			at += strcspn(at, ",}");
		}
		must(*at == ',');
		at++;
	}
	at += strlen(wanted);
	if (*at != '"')
		return false;
	const char *end = ++at;
	for (; *end != '"'; end++)
		end += *end == '\\';
	decode(out, at, end);
	return true;
}

static void check_value(const char *json, const char *key, struct slice expected)
{
	AUTO_STR got = STR_INIT;
	bool there = value_of(json, key, &got);
	must(there == (expected.at != NULL));
	must(!there || (got.len == expected.len &&
			(got.len == 0 || memcmp(got.data, expected.at, got.len) == 0)));
}

static void check_json(const char *path, size_t len, const struct entry *entry)
{
	AUTO_STR json = STR_INIT;
	entry_json(&json, path, len, entry);
	must(is_ascii(str_text(&json)));
	check_value(str_text(&json), "name", (struct slice){ path, len });
	for (unsigned i = 0; entry && i < ENTRY_FIELDS; i++)
		check_value(str_text(&json), entry_field_name((enum entry_field)i),
			    entry->field[i]);
}

static void check_entry(const char *path, size_t len, const struct entry *entry)
{
	must(entry->scheme);
	for (unsigned i = 0; i < ENTRY_FIELDS; i++) {
		struct slice field = entry->field[i];
		must(!field.at || (field.at >= path && field.at + field.len <= path + len));
	}
	const char *slash = strchr(entry->mime, '/');
	must(!entry->mime[0] || slash);
	must(!slash || (entry_is_mime_token(entry->mime, (size_t)(slash - entry->mime)) &&
			entry_is_mime_token(slash + 1, strlen(slash + 1))));
	unsigned char sum[32] = { 0 };
	(void)entry_hash_differs(entry, sum);
}

/* shown: with its JSON, which takes longer than all the rest */
static void parse(struct scheme_set *set, const char *path, size_t len, bool shown)
{
	struct entry first;
	struct entry second;
	memset(&first, 0x5a, sizeof first);
	memset(&second, 0xa5, sizeof second);
	enum scheme_result result = scheme_parse(set, path, len, &first);
	must(scheme_parse(set, path, len, &second) == result);
	if (result == SCHEME_SIDECAR)
		must(sidecar_subject(path, len) <= len);
	if (shown)
		check_json(path, len, result == SCHEME_FILE ? &first : NULL);
	if (result != SCHEME_FILE)
		return;
	check_entry(path, len, &first);
	must(first.scheme == second.scheme && strcmp(first.mime, second.mime) == 0);
	must(memcmp(first.field, second.field, sizeof first.field) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (set_count == 0)
		make_sets();
	char *path = input_exact((const char *)data, size);
	for (size_t i = 0; i < set_count; i++)
		parse(sets[i], path, size, i == size % set_count);
	struct name name;
	struct name inner;
	name_split(&name, path, size);
	if (name_of_rsync(&name, &inner))
		must(inner.base.at >= path && inner.base.at + inner.base.len <= path + size);
	free(path);
	return 0;
}
