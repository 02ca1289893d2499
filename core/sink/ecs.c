/* ecs: see ecs.h. */
#include "core/sink/ecs.h"

#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/str.h"
#include "core/sink/line.h"
#include "core/store/event_reader.h"
#include "core/store/version.h"

/* RFC 3339, as @timestamp and the other dates of ECS are. */
static void put_time(struct str *out, int64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / CLOCK_NS_PER_S);
	long rest = (long)(wall_ns % CLOCK_NS_PER_S);
	if (rest < 0) {
		seconds--;
		rest += (long)CLOCK_NS_PER_S;
	}
	struct tm tm;
	char text[64];
	if (!gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		str_puts(out, "null"); /* beyond what years are counted in */
		return;
	}
	str_printf(out, "\"%s.%09ldZ\"", text, rest);
}

static void put_date(struct str *out, const char *name, int64_t wall_ns)
{
	str_printf(out, ",\"%s\":", name);
	put_time(out, wall_ns);
}

static bool is_alarm(const struct version *version)
{
	return version->state == VERSION_DONE && version->verdict <= OUTCOME_SUSPICIOUS;
}

/* Of the scan: a file that could not be scanned is a failure, not a success without a finding. */
static const char *outcome_of(const struct version *version)
{
	if (version->state == VERSION_DONE)
		return outcome_is_definite(version->verdict) ? "success" : "unknown";
	switch (version->reason) {
	case REASON_FAILED:
	case REASON_UNREADABLE:
	case REASON_SHED:
		return "failure";
	default:
		return "unknown";
	}
}

static const char *action_of(enum store_event_kind kind)
{
	switch (kind) {
	case EVENT_END:
		return "file-scanned";
	case EVENT_INCOMPLETE:
		return "file-incomplete";
	case EVENT_RESCAN:
		return "file-rescanned";
	}
	return "file-scanned";
}

/* A member only where there is a value: ECS leaves out what is not known. */
static void put_known(struct str *out, const char *name, const char *value)
{
	if (value)
		line_member(out, name, value);
}

static void put_slice(struct str *out, const char *name, const struct version *version,
		      enum entry_field field)
{
	const struct slice *slice = &version->entry.field[field];
	if (!slice->at)
		return;
	str_printf(out, ",\"%s\":", name);
	str_json(out, slice->at, slice->len);
}

static void put_event(struct str *out, const struct store_event *event)
{
	const struct version *version = event->version;
	bool alarm = is_alarm(version);
	const char *end = version_reason_name(version->reason);
	const char *reason = version->note ? version->note : end;
	str_printf(out, ",\"event\":{\"kind\":\"%s\",\"category\":[\"%s\"],\"type\":[\"info\"]",
		   alarm ? "alert" : "event", alarm ? "malware" : "file");
	str_printf(out, ",\"module\":\"carved\",\"dataset\":\"carved.file\",\"sequence\":%lld",
		   (long long)event->seq);
	line_member(out, "action", action_of(event->kind));
	line_member(out, "outcome", outcome_of(version));
	put_known(out, "reason", reason);
	put_date(out, "start", version->first_seen_ns);
	put_date(out, "end", version->finished_ns);
	str_putc(out, '}');
}

static void put_directory(struct str *out, const struct version *version)
{
	str_puts(out, ",\"directory\":");
	str_json(out, version->path, version->dir_len ? version->dir_len : 1);
}

static void put_file(struct str *out, const struct version *version)
{
	size_t len = 0;
	const char *name = version_name(version, &len);
	str_puts(out, ",\"file\":{\"type\":\"file\",\"path\":");
	str_json(out, version->path, version->path_len);
	put_directory(out, version);
	str_puts(out, ",\"name\":");
	str_json(out, name, len);
	put_slice(out, "extension", version, ENTRY_EXTENSION);
	if (version->identity.inode) {
		str_printf(out, ",\"inode\":\"%llu\",\"size\":%lld",
			   (unsigned long long)version->identity.inode,
			   (long long)version->identity.size);
		put_date(out, "mtime", version->identity.mtime_ns);
	}
	const char *told = *version->entry.mime ? version->entry.mime : NULL;
	put_known(out, "mime_type", version->real_mime ? version->real_mime : told);
	if (version->has_sha256) {
		str_puts(out, ",\"hash\":{\"sha256\":\"");
		str_hex(out, version->sha256, sizeof version->sha256);
		str_puts(out, "\"}");
	}
	str_putc(out, '}');
}

/* {"name":{"key":value}} for what the file's name says of one end of the connection. */
static void put_address(struct str *out, const char *name, const struct version *version,
			enum entry_field field)
{
	const struct slice *slice = &version->entry.field[field];
	if (!slice->at)
		return;
	str_printf(out, ",\"%s\":{\"address\":", name);
	str_json(out, slice->at, slice->len);
	str_putc(out, '}');
}

static void put_network(struct str *out, const struct version *version)
{
	const struct slice *protocol = &version->entry.field[ENTRY_PROTOCOL];
	if (protocol->at) {
		AUTO_STR lower = STR_INIT;
		for (size_t i = 0; i < protocol->len; i++) {
			char c = protocol->at[i];
			if (c >= 'A' && c <= 'Z')
				c |= 0x20; /* ASCII's lower case */
			str_putc(&lower, c);
		}
		str_puts(out, ",\"network\":{\"protocol\":");
		str_json(out, lower.data, lower.len);
		str_putc(out, '}');
	}
	put_address(out, "source", version, ENTRY_ORIG_H);
	put_address(out, "destination", version, ENTRY_RESP_H);
}

/* What ECS has no name for. */
static void put_rest(struct str *out, const struct store_event *event)
{
	const struct version *version = event->version;
	str_printf(out, ",\"carved\":{\"id\":%lld", (long long)version->id);
	line_member(out, "state", version_state_name(version->state));
	put_known(out, "reason", version_reason_name(version->reason));
	if (version->verdict < OUTCOMES)
		line_member(out, "verdict", outcome_name(version->verdict));
	if (event->kind == EVENT_RESCAN && event->was < OUTCOMES)
		line_member(out, "was", outcome_name(event->was));
	str_printf(out, ",\"incomplete\":%s", version->incomplete ? "true" : "false");
	put_known(out, "scheme", version->entry.scheme);
	put_slice(out, "fuid", version, ENTRY_FUID);
	put_slice(out, "conn_uid", version, ENTRY_CONN_UID);
	put_slice(out, "pcap", version, ENTRY_PCAP);
	if (*version->entry.mime)
		line_member(out, "mime", version->entry.mime);
	str_puts(out, ",\"findings\":");
	line_findings(out, version);
	str_putc(out, '}');
}

void ecs_event(struct str *out, const struct store_event *event)
{
	const struct version *version = event->version;
	str_puts(out, "{\"@timestamp\":");
	put_time(out, version->finished_ns);
	str_puts(out, ",\"ecs\":{\"version\":\"8.11.0\"}");
	put_event(out, event);
	put_file(out, version);
	put_network(out, version);
	if (is_alarm(version) && line_signature(version)) {
		str_puts(out, ",\"rule\":{\"name\":");
		str_json_text(out, line_signature(version));
		str_putc(out, '}');
	}
	put_rest(out, event);
	str_putc(out, '}');
}
