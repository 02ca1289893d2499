/* line: see line.h. */
#include "core/sink/line.h"

#include "core/base/str.h"
#include "core/store/event_reader.h"
#include "core/store/version.h"

void line_member(struct str *out, const char *name, const char *value)
{
	str_printf(out, ",\"%s\":", name);
	str_json_text(out, value);
}

static void put_finding(struct str *out, const struct finding *finding)
{
	str_puts(out, "{\"detector\":");
	str_json_text(out, finding->detector);
	line_member(out, "outcome", outcome_name(finding->outcome));
	line_member(out, "signature", finding->signature);
	str_printf(out, ",\"cached\":%s,\"attempt\":%u,\"started_ns\":%lld,\"finished_ns\":%lld}",
		   finding->cached ? "true" : "false", finding->attempt,
		   (long long)finding->started_ns, (long long)finding->finished_ns);
}

void line_findings(struct str *out, const struct version *version)
{
	str_putc(out, '[');
	for (size_t i = 0; i < version->finding_count; i++) {
		if (i)
			str_putc(out, ',');
		put_finding(out, &version->findings[i]);
	}
	str_putc(out, ']');
}

const char *line_signature(const struct version *version)
{
	for (size_t i = 0; i < version->finding_count; i++) {
		if (version->findings[i].outcome == version->verdict &&
		    version->findings[i].signature)
			return version->findings[i].signature;
	}
	return NULL;
}

static const char *verdict_name(enum outcome verdict)
{
	return verdict < OUTCOMES ? outcome_name(verdict) : NULL;
}

/* Without the brace that ends it. */
static void begin_version(struct str *out, const struct version *version)
{
	str_printf(out, "{\"event\":\"file\",\"id\":%lld,\"path\":", (long long)version->id);
	str_json(out, version->path, version->path_len);
	line_member(out, "state", version_state_name(version->state));
	line_member(out, "reason", version_reason_name(version->reason));
	line_member(out, "verdict", verdict_name(version->verdict));
	str_printf(out, ",\"incomplete\":%s", version->incomplete ? "true" : "false");
	line_member(out, "mime", *version->entry.mime ? version->entry.mime : NULL);
	line_member(out, "real_mime", version->real_mime);
	str_printf(out, ",\"size\":%lld,\"sha256\":", (long long)version->identity.size);
	if (version->has_sha256) {
		str_putc(out, '"');
		str_hex(out, version->sha256, sizeof version->sha256);
		str_putc(out, '"');
	} else {
		str_puts(out, "null");
	}
	line_member(out, "note", version->note);
	str_printf(out, ",\"first_seen_ns\":%lld,\"finished_ns\":%lld,\"findings\":",
		   (long long)version->first_seen_ns, (long long)version->finished_ns);
	line_findings(out, version);
}

static void begin_rescan(struct str *out, const struct version *version, enum outcome was)
{
	begin_version(out, version);
	str_printf(out, ",\"rescan\":true,\"was\":\"%s\"",
		   was < OUTCOMES ? outcome_name(was) : "none");
}

static void begin_incomplete(struct str *out, const struct version *version)
{
	str_puts(out, "{\"event\":\"incomplete\",\"path\":");
	str_json(out, version->path, version->path_len);
	line_member(out, "note", version->note);
}

void line_version(struct str *out, const struct version *version)
{
	begin_version(out, version);
	str_putc(out, '}');
}

void line_rescan(struct str *out, const struct version *version, enum outcome was)
{
	begin_rescan(out, version, was);
	str_putc(out, '}');
}

void line_incomplete(struct str *out, const struct version *version)
{
	begin_incomplete(out, version);
	str_putc(out, '}');
}

void line_event(struct str *out, const struct store_event *event)
{
	switch (event->kind) {
	case EVENT_END:
		begin_version(out, event->version);
		break;
	case EVENT_INCOMPLETE:
		begin_incomplete(out, event->version);
		str_printf(out, ",\"id\":%lld", (long long)event->version->id);
		break;
	case EVENT_RESCAN:
		begin_rescan(out, event->version, event->was);
		break;
	}
	str_printf(out, ",\"seq\":%lld}", (long long)event->seq);
}
