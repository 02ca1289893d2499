/* What the running daemon says of itself is one JSON object with these members. */
#include <jansson.h>

#include "core/app/control_client.h"
#include "core/base/str.h"
#include "daemon_harness.h"

Test(status, tells_roots_detectors_queue_and_counts)
{
	struct daemon d;
	daemon_begin(&d, "detectors: [ { type: noop, name: nothing } ]\n");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	json_t *status = NULL;
	const char *state, *mode, *detector;
	int present, clean, overflows;
	/* the commit is seen by SQL before the loop has counted it */
	for (clean = 0; clean == 0;) {
		str_reset(&text);
		cr_assert_eq(control_request(d.history, "status", &text, &err), 0, "%s", err.text);
		json_decref(status);
		status = json_loads(str_text(&text), 0, NULL);
		cr_assert(status, "%s", str_text(&text));
		cr_assert_eq(json_unpack(status, "{s:s, s:[{s:s, s:b}], s:[s], s:{s:i}, s:{s:i}}",
					 "state", &state, "roots", "mode", &mode, "present",
					 &present, "detectors", &detector, "watching", "overflows",
					 &overflows, "since_start", "clean", &clean),
			     0, "%s", str_text(&text));
	}
	cr_assert_str_eq(state, "running");
	cr_assert_str_eq(mode, "events");
	cr_assert(present);
	cr_assert_str_eq(detector, "nothing");
	cr_assert_eq(clean, 1);
	json_decref(status);
	daemon_finish(&d);
}

static json_t *ask(const struct daemon *d)
{
	AUTO_STR text = STR_INIT;
	struct error err = { 0 };
	cr_assert_eq(control_request(d->history, "status", &text, &err), 0, "%s", err.text);
	json_t *status = json_loads(str_text(&text), 0, NULL);
	cr_assert(status, "%s", str_text(&text));
	return status;
}

Test(status, tells_how_detectors_answered_and_what_a_minute_brought)
{
	struct daemon d;
	daemon_begin(&d,
		     "detectors: [ { type: noop, name: one }, { type: command, name: two, retries: "
		     "1, required: false, run: [ /bin/sh, -c, 'exit 9', '{path}' ] } ]\n");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	for (int answers = 0; answers < 2;) {
		json_t *status = ask(&d);
		const char *one, *two, *state;
		int asked, asked_too, errors, files, bytes, directories, watches;
		double mean, longest;
		cr_assert_eq(json_unpack(status,
					 "{s:[{s:s,s:s,s:i},{s:s,s:i,s:i,s:F,s:F}],s:{s:i,s:i,s:i}"
					 ",s:[{s:i,s:i}]}",
					 "answers", "name", &one, "state", &state, "answers",
					 &asked, "name", &two, "answers", &asked_too, "errors",
					 &errors, "mean_ms", &mean, "max_ms", &longest,
					 "last_minute", "files", &files, "bytes", &bytes, "answers",
					 &answers, "roots", "directories", &directories, "watches",
					 &watches),
			     0);
		cr_assert_eq(directories, 1);
		cr_assert_eq(watches, 1);
		cr_assert_str_eq(state, "well");
		if (answers == 2) {
			cr_assert_str_eq(one, "one");
			cr_assert_str_eq(two, "two");
			cr_assert(asked == 1 && asked_too == 1 && errors == 1);
			cr_assert(files == 1 && bytes == 1);
			cr_assert(mean > 0 && mean <= longest);
		}
		json_decref(status);
	}
	daemon_finish(&d);
}

Test(status, tells_the_oldest_file_without_an_end_and_the_gaps_that_are_open)
{
	struct daemon d;
	const char *path, *where, *cause;
	json_int_t reconciled;
	double age;
	/* one that somebody writes to */
	daemon_init(&d, "detectors: [ { type: noop } ]\n");
	daemon_put(&d, "HTTP-Fone.text.plain.txt", "x");
	char name[512], away[128];
	daemon_path(&d, "HTTP-Fone.text.plain.txt", name);
	int writer = open(name, O_WRONLY | O_CLOEXEC);
	daemon_start(&d);
	daemon_wait_ready(&d);
	daemon_expect(&d, "SELECT wait FROM file", "writer");
	json_t *status = ask(&d);
	cr_assert_eq(json_unpack(status, "{s:{s:F,s:s,s:s},s:I,s:[]}", "oldest_file", "age_s", &age,
				 "where", &where, "path", &path, "reconciled_ns", &reconciled,
				 "gaps"),
		     0);
	cr_assert_str_eq(path, name);
	cr_assert_gt(age, 0);
	cr_assert_gt(reconciled, 0);
	json_decref(status);
	close(writer);
	daemon_expect(&d, "SELECT state FROM file", "done");
	snprintf(away, sizeof away, "%s/away", d.dir);
	cr_assert_eq(rename(d.root, away), 0);
	daemon_expect(&d, "SELECT count(*) FROM gap WHERE closed_ns IS NULL", "1");
	status = ask(&d);
	cr_assert(json_is_null(json_object_get(status, "oldest_file")));
	cr_assert_eq(json_unpack(status, "{s:[{s:s}]}", "gaps", "cause", &cause), 0);
	cr_assert_str_eq(cause, "root");
	json_decref(status);
	daemon_finish(&d);
}
