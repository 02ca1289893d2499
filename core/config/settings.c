/* settings: the table, and looking rows up; see settings.h. Values are stored in setting_value.c.
 */
#include "core/config/settings.h"

#include <string.h>

#include "core/config/config.h"

#define DAY_MS INT64_C(86400000)

#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define TOP(key_, type_, field_)                              \
	.scope = SETTING_TOP, .key = (key_), .type = (type_), \
	.offset = offsetof(struct config, field_)
#define ROOT(key_, type_, field_)                              \
	.scope = SETTING_ROOT, .key = (key_), .type = (type_), \
	.offset = offsetof(struct config_root, field_)
#define DETECTOR(key_, type_, field_)                              \
	.scope = SETTING_DETECTOR, .key = (key_), .type = (type_), \
	.offset = offsetof(struct config_detector, field_)
#define ALERT(key_, type_, field_)                              \
	.scope = SETTING_ALERT, .key = (key_), .type = (type_), \
	.offset = offsetof(struct config_alert, field_)
#define DISPOSAL(key_, description_)                                              \
	{                                                                         \
		.scope = SETTING_DISPOSE, .key = (key_), .type = SETTING_SECTION, \
		.fallback = "keep", .description = (description_)                 \
	}

#define RETENTION(key_, type_, field_)                              \
	.scope = SETTING_RETENTION, .key = (key_), .type = (type_), \
	.offset = offsetof(struct config, retention.field_)

const struct setting settings[] = {
	{ .scope = SETTING_TOP,
	  .key = "roots",
	  .type = SETTING_SECTION,
	  .environment = NAMES("CARVED_ROOT", "CARVED_ROOTS", "BROAPT_DUMP_PATH"),
	  .description = "The watched directory trees: a list of paths or of mappings. In the "
			 "CARVED_ variables a colon separates paths." },
	{ TOP("history", SETTING_PATH, history), .environment = NAMES("CARVED_HISTORY"),
	  .description = "The SQLite database that records every file. Default: history.db in "
			 "$STATE_DIRECTORY, else in /var/lib/carved, else ./carved.db." },
	{ TOP("workers", SETTING_COUNT, workers), .max = 256, .fallback = "0",
	  .environment = NAMES("CARVED_WORKERS", "BROAPT_APP_CPU", "BROAPT_SCAN_CPU", "BROAPT_CPU"),
	  .description = "How many files are scanned at once. 0: one for each processor that the "
			 "process may use, at most 4." },
	{ TOP("hash", SETTING_SWITCH, hash), .fallback = "always",
	  .words = NAMES("never", "always"), .environment = NAMES("CARVED_HASH"),
	  .description = "Whether contents are hashed (SHA-256). never also turns the reuse of "
			 "outcomes off, and leaves nothing for a hashlist to compare." },
	{ TOP("max_file_size", SETTING_BYTES, max_file_size), .min = 1, .max = INT64_C(1) << 50,
	  .fallback = "256M", .environment = NAMES("CARVED_MAX_FILE_SIZE"),
	  .description = "Larger files are recorded as unscanned, oversize." },
	{ TOP("unmatched", SETTING_CHOICE, unmatched), .fallback = "record",
	  .words = NAMES("record", "scan", "ignore"), .environment = NAMES("CARVED_UNMATCHED"),
	  .description = "What happens to files whose names match no scheme: record leaves a row "
			 "and does not open them, ignore leaves nothing." },
	{ .scope = SETTING_TOP,
	  .key = "detectors",
	  .type = SETTING_SECTION,
	  .description =
		  "The ways of asking whether a file is bad: a list of mappings. Default: "
		  "hashlist, magic and yara, with the list and the rules that are shipped, and "
		  "clamd where Debian's answers." },
	{ TOP("rescan_interval", SETTING_DURATION, rescan_interval_ms), .min = 100, .max = DAY_MS,
	  .fallback = "10s",
	  .environment = NAMES("CARVED_RESCAN_INTERVAL", "BROAPT_APP_INTERVAL", "BROAPT_INTERVAL"),
	  .description = "How often missing roots, unwatched directories and polled roots are "
			 "looked at." },
	{ TOP("stop_grace", SETTING_DURATION, stop_grace_ms), .max = DAY_MS, .fallback = "5s",
	  .environment = NAMES("CARVED_STOP_GRACE"),
	  .description = "How long running detectors may go on once the daemon is told to stop." },
	{ TOP("reuse", SETTING_DAYS, reuse_days), .max = 36500, .fallback = "30d",
	  .environment = NAMES("CARVED_REUSE"),
	  .description = "How far back the outcome of the same content is taken over instead of "
			 "scanning it again. 0: never." },
	{ TOP("history_keep", SETTING_DAYS, history_keep_days), .max = 36500, .fallback = "0",
	  .environment = NAMES("CARVED_HISTORY_KEEP"),
	  .description = "How long the history keeps what it says of files that are gone. 0: for "
			 "ever." },
	{ TOP("rescan", SETTING_CHOICE, rescan), .fallback = "manual",
	  .words = NAMES("manual", "auto"), .environment = NAMES("CARVED_RESCAN"),
	  .description = "When files that are done are looked at again with other rules: when "
			 "\"carved rescan\" asks for it, or by itself too, as far back as reuse." },
	{ TOP("events", SETTING_PATH, events), .environment = NAMES("CARVED_EVENTS"),
	  .description =
		  "A file that gets a JSON object, one a line, for each file that has its "
		  "end, lacks a part, or got another verdict. It may be rotated. Not below a "
		  "root. Default: none." },
	{ TOP("events_format", SETTING_SWITCH, events_ecs), .fallback = "native",
	  .words = NAMES("native", "ecs"), .environment = NAMES("CARVED_EVENTS_FORMAT"),
	  .description = "How its fields are named: as in the history, or as in the Elastic "
			 "Common Schema." },
	{ .scope = SETTING_TOP,
	  .key = "alert",
	  .type = SETTING_SECTION,
	  .description =
		  "A command that is run, or a URL that is posted to, when files are found to "
		  "be malicious or suspicious: a mapping. Default: none." },
	{ TOP("api_root", SETTING_PATH, api_root), .fallback = "/api/",
	  .environment = NAMES("CARVED_API_ROOT", "BROAPT_API_ROOT"),
	  .description = "Where BroAPT's api.yml lies, and below TYPE/SUBTYPE/ the relative "
			 "workdirs in it." },
	{ TOP("api_logs", SETTING_PATH, api_logs), .fallback = "/var/log/bro/api/",
	  .environment = NAMES("CARVED_API_LOGS", "BROAPT_API_LOGS"),
	  .description = "Where the output of api.yml's commands is kept. Not below a root." },
	{ .scope = SETTING_TOP,
	  .key = "dispose",
	  .type = SETTING_SECTION,
	  .description =
		  "What happens to files once they have their verdict: a mapping of verdicts to "
		  "keep, delete or quarantine, or to mappings of MIME types to those, of which "
		  "the first that fits counts." },
	{ TOP("quarantine", SETTING_PATH, quarantine), .environment = NAMES("CARVED_QUARANTINE"),
	  .description = "The directory for files that are taken away, carved's alone. Best on the "
			 "file system of the roots, but not below one. Default: quarantine, beside "
			 "the history." },
	{ .scope = SETTING_TOP,
	  .key = "retention",
	  .type = SETTING_SECTION,
	  .description = "How long files stay below the roots: a mapping. Default: for ever." },
	{ TOP("shed", SETTING_TEXTS, retention.shed),
	  .description =
		  "Globs of MIME types. When a disk is above disk_high and nothing else may go "
		  "any more, files that wait for a scan are given up in their order, recorded as "
		  "unscanned, shed, and deleted. Default: none is." },
	{ TOP("pressure", SETTING_PATH, pressure), .environment = NAMES("CARVED_PRESSURE"),
	  .description =
		  "A file that tells how much there is to do, for a sensor to read: a level from "
		  "0 to 3 and why. Not below a root. Default: none." },

	{ ROOT("path", SETTING_PATH, path),
	  .description = "The directory. It need not exist yet." },
	{ ROOT("producer", SETTING_TEXT, producer), .fallback = "auto",
	  .description =
		  "Who writes the files: auto, a scheme (broapt, broapt-exact, zeek, malcolm, "
		  "securityonion, bzar, suricata, strelka), or a PCRE2 pattern with named "
		  "groups." },
	{ ROOT("mode", SETTING_CHOICE, mode), .fallback = "auto",
	  .words = NAMES("auto", "inotify", "poll"),
	  .description =
		  "How changes are noticed. auto: by events where the file system has them." },
	{ ROOT("settle", SETTING_DURATION, settle_ms), .max = DAY_MS, .fallback = "2s",
	  .description =
		  "How long a file must rest where leases do not work, unless its producer's "
		  "habits say that it is complete." },

	{ DETECTOR("type", SETTING_TEXT, type),
	  .description = "hashlist, command, api, yara, magic, clamd, remote or noop." },
	{ DETECTOR("name", SETTING_TEXT, name),
	  .description = "The name under which outcomes are recorded; unique. Default: the type." },
	{ DETECTOR("mime", SETTING_TEXTS, mime),
	  .description = "Globs of the MIME types that it gets. Default: every file." },
	{ DETECTOR("timeout", SETTING_DURATION, timeout_ms), .min = 10, .max = DAY_MS,
	  .fallback = "60s", .description = "The deadline of one scan." },
	{ DETECTOR("retries", SETTING_COUNT, retries), .min = 1, .max = 100,
	  .environment = NAMES("CARVED_RETRIES", "BROAPT_MAX_RETRY"),
	  .description = "Attempts in all after errors and timeouts. Default: 3 for command, "
			 "api, clamd and remote, else 1; the variables set it for command, api "
			 "and remote." },
	{ DETECTOR("retry_pause", SETTING_DURATION, retry_pause_ms), .max = DAY_MS,
	  .fallback = "10s",
	  .environment = NAMES("CARVED_RETRY_PAUSE", "BROAPT_APP_INTERVAL", "BROAPT_INTERVAL"),
	  .description = "The pause before the second attempt; it doubles with each further one, "
			 "up to an hour, and up to a quarter is added by chance." },
	{ DETECTOR("required", SETTING_SWITCH, required), .fallback = "true",
	  .words = NAMES("false", "true"),
	  .description = "Whether a file is done only once this detector gave a definite answer. "
			 "false: a failure is recorded, and the file is done all the same." },
	{ DETECTOR("wait", SETTING_DURATION, wait_ms), .max = 30 * DAY_MS, .fallback = "1h",
	  .description = "How long files wait for a required detector whose server is away; then "
			 "it counts as failed." },
	{ DETECTOR("file", SETTING_PATH, file), .only = NAMES("hashlist", "api"),
	  .description =
		  "hashlist: the list of SHA-256, SHA-1 or MD5 sums, default the one that is "
		  "shipped. api: BroAPT's api.yml, default the one in api_root." },
	{ DETECTOR("known", SETTING_CHOICE, known), .fallback = "bad",
	  .words = NAMES("bad", "good"), .only = NAMES("hashlist"),
	  .description = "What is in the list. A file on a list of known good ones is clean to it, "
			 "and it has no say about others." },
	{ DETECTOR("skips", SETTING_TEXTS, skips), .only = NAMES("hashlist"),
	  .description = "With known: good. Names of the detectors that are not asked about a file "
			 "in the list; \"*\": all that are no hash lists." },
	{ DETECTOR("url", SETTING_TEXT, url), .only = NAMES("remote"),
	  .description = "The server that is asked: http:// or https://." },
	{ DETECTOR("server", SETTING_TEXT, url), .only = NAMES("api"),
	  .environment = NAMES("CARVED_SERVER"),
	  .description = "Where BroAPT's daemon serves the entries with \"remote: true\". Default: "
			 "http://localhost:5000; BroAPT's SERVER_NAME_HOST and SERVER_NAME_PORT "
			 "say another." },
	{ DETECTOR("ca", SETTING_PATH, ca), .only = NAMES("remote", "api"),
	  .description =
		  "A file of certificates (PEM) that may sign an https server's. Default: the "
		  "system's." },
	{ DETECTOR("token_file", SETTING_PATH, token_file), .only = NAMES("remote", "api"),
	  .description = "A file with what the server is told who asks (Authorization: Bearer). "
			 "Others may neither read nor change it." },
	{ DETECTOR("run", SETTING_TEXTS, run), .only = NAMES("command"),
	  .description =
		  "The program and its arguments, run without a shell. {path} is the file's "
		  "path, {fd} a path to it that cannot be exchanged, {mime} its type, {name} "
		  "its base name; {path} or {fd} must be there." },
	{ DETECTOR("read", SETTING_TEXTS, read), .only = NAMES("command", "api"),
	  .description =
		  "Files and directories that its commands may read and run beside the system's "
		  "programs, the file that is scanned, and files that \"run\" names; directories "
		  "with all below them. They write only into a directory of their own ($TMPDIR), "
		  "which is removed afterwards." },
	{ DETECTOR("network", SETTING_SWITCH, network), .only = NAMES("command", "api"),
	  .words = NAMES("false", "true"), .fallback = "false",
	  .description = "Whether its commands may open sockets, those of local daemons among "
			 "them." },
	{ DETECTOR("rules", SETTING_TEXTS, rules), .only = NAMES("yara"),
	  .description =
		  "Files of rules, or directories with *.yar and *.yara below them: one path or a "
		  "list. Default: the rules that are shipped." },
	{ DETECTOR("max_file_size", SETTING_BYTES, max_file_size), .min = 1,
	  .max = INT64_C(1) << 50, .only = NAMES("yara", "clamd"),
	  .description = "Larger files are skipped by this detector. yara reads a file into "
			 "memory whole, once a worker; default: max_file_size of the top level. "
			 "clamd, default 25M: not more than MaxFileSize (and over TCP "
			 "StreamMaxLength) in clamd.conf; what is larger than that clamd does not "
			 "look at and calls OK, unless AlertExceedsMax is on." },
	{ DETECTOR("match", SETTING_CHOICE, match), .fallback = "declared",
	  .words = NAMES("declared", "real", "both"),
	  .description =
		  "Which type the globs of mime choose by: the one that the name declares (the "
		  "real one if it declares none), the real one (needs type magic), or either." },
	{ DETECTOR("socket", SETTING_TEXT, socket), .only = NAMES("clamd"),
	  .description = "Where clamd listens: the path of its socket, or tcp://HOST:PORT. "
			 "Default: /run/clamav/clamd.ctl." },

	{ ALERT("run", SETTING_TEXTS, run),
	  .description =
		  "The program and its arguments, run without a shell. It reads the alerts "
		  "on its standard input, one JSON object a line; exit status 0 says that it "
		  "has told them." },
	{ ALERT("url", SETTING_TEXT, url),
	  .description = "Instead of a program: http:// or https://, to which they are posted as a "
			 "JSON array. A status from 200 to 299 says that they are told." },
	{ ALERT("on", SETTING_TEXTS, on),
	  .description = "The verdicts that are told: malicious, suspicious. Default: both." },
	{ ALERT("format", SETTING_SWITCH, ecs), .fallback = "native",
	  .words = NAMES("native", "ecs"),
	  .description = "How its fields are named: as in the history, or as in the Elastic Common "
			 "Schema." },
	{ ALERT("every", SETTING_DURATION, every_ms), .max = DAY_MS, .fallback = "10s",
	  .description = "The least time from one call to the next, which gets all that came "
			 "meanwhile, up to 1,000 alerts." },
	{ ALERT("timeout", SETTING_DURATION, timeout_ms), .min = 10, .max = DAY_MS,
	  .fallback = "30s",
	  .description = "How long one call may take. Then the command is killed, and the alerts "
			 "are told again." },
	{ ALERT("ca", SETTING_PATH, ca),
	  .description = "A file of certificates (PEM) that may sign an https server's. Default: "
			 "the system's." },
	{ ALERT("token_file", SETTING_PATH, token_file),
	  .description = "A file with what the server is told who posts (Authorization: Bearer). "
			 "Others may neither read nor change it." },

	{ RETENTION("age", SETTING_DURATION, age_ms), .min = 1000, .max = 36500 * DAY_MS,
	  .description = "How long a file stays after it was first seen." },
	{ RETENTION("count", SETTING_COUNT, count), .min = 1, .max = INT64_C(4000000000),
	  .description = "How many files stay; the oldest go first." },
	{ RETENTION("bytes", SETTING_BYTES, bytes), .min = 1, .max = INT64_C(1) << 60,
	  .description = "How much they take; the oldest go first." },
	{ RETENTION("disk_high", SETTING_PERCENT, disk_high_percent), .min = 2, .max = 99,
	  .description = "How full a root's file system may be, by room or by inodes: from then on "
			 "files on it go, the oldest first." },
	{ RETENTION("disk_low", SETTING_PERCENT, disk_low_percent), .min = 1, .max = 98,
	  .description = "How full it is when that ends. Default: ten less than disk_high, but at "
			 "least half of it." },
	{ RETENTION("unscanned", SETTING_SWITCH, unscanned), .fallback = "keep",
	  .words = NAMES("keep", "delete"),
	  .description = "Whether files that ended without an answer may go too, when there is "
			 "none with an answer that could go instead." },
	{ RETENTION("quarantine", SETTING_DURATION, quarantine_ms), .min = 1000,
	  .max = 36500 * DAY_MS,
	  .description = "How long a file stays in the quarantine. Default: for ever." },

	DISPOSAL("malicious", "What happens to malicious files."),
	DISPOSAL("suspicious", "What happens to suspicious files."),
	DISPOSAL("unknown", "What happens to files that were looked at without a report."),
	DISPOSAL("clean", "What happens to clean files."),
};

const size_t setting_count = sizeof settings / sizeof *settings;

const struct setting *setting_find(enum setting_scope scope, const char *key)
{
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].scope == scope && strcmp(settings[i].key, key) == 0)
			return &settings[i];
	}
	return NULL;
}

struct nearest setting_nearest(enum setting_scope scope, const char *written)
{
	struct nearest nearest = { 0 };
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].scope == scope)
			nearest_offer(&nearest, written, settings[i].key);
	}
	return nearest;
}

const char *setting_elsewhere(enum setting_scope scope, const char *key)
{
	static const char *const places[] = {
		[SETTING_TOP] = "the top level",
		[SETTING_ROOT] = "an item of \"roots\"",
		[SETTING_DETECTOR] = "an item of \"detectors\"",
		[SETTING_DISPOSE] = "\"dispose\"",
		[SETTING_ALERT] = "\"alert\"",
		[SETTING_RETENTION] = "\"retention\"",
	};
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].scope != scope && strcmp(settings[i].key, key) == 0)
			return places[settings[i].scope];
	}
	return NULL;
}

bool setting_belongs(const struct setting *setting, const char *detector_type)
{
	if (!setting->only)
		return true;
	for (const char *const *type = setting->only; *type; type++) {
		if (strcmp(*type, detector_type) == 0)
			return true;
	}
	return false;
}
