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
