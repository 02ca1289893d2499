/* Starting: what is refused, and what is waited for. On the real daemon. */
#include "daemon_harness.h"

#define NOOP "detectors: [ { type: noop } ]\n"
#define A    "HTTP-Faaaaaaaaaaaaaaaaa.text.plain.txt"

Test(app, a_second_daemon_on_the_same_history_is_refused)
{
	struct daemon d;
	daemon_begin(&d, NOOP);
	struct daemon second = d;
	second.notify_fd = -1;
	snprintf(second.socket, sizeof second.socket, "%s/notify2", d.dir);
	daemon_start(&second);
	cr_assert_eq(daemon_wait_exit(&second), 3);
	close(second.notify_fd);
	daemon_put(&d, A, "x"); /* the first one is not disturbed */
	daemon_expect(&d, "SELECT state FROM file", "done");
	daemon_finish(&d);
}

Test(app, a_history_that_is_not_ours_is_refused_and_not_altered)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	FILE *file = fopen(d.history, "w");
	fputs("this is somebody's text file and no history at all, whatever its name may be", file);
	fclose(file);
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 3);
	char text[128] = "";
	file = fopen(d.history, "r");
	cr_assert(fgets(text, sizeof text, file));
	fclose(file);
	cr_assert_str_eq(
		text,
		"this is somebody's text file and no history at all, whatever its name may be");
	daemon_done(&d);
}

Test(app, a_detector_that_cannot_be_opened_is_an_error_of_configuration)
{
	struct daemon d;
	daemon_init(&d, "detectors: [ { type: hashlist, file: /nonexistent/list } ]\n");
	daemon_start(&d);
	cr_assert_eq(daemon_wait_exit(&d), 2);
	daemon_done(&d);
}

Test(app, a_missing_root_is_waited_for)
{
	struct daemon d;
	daemon_init(&d, NOOP);
	cr_assert_eq(rmdir(d.root), 0);
	daemon_start(&d);
	daemon_wait_ready(&d);
	cr_assert_eq(mkdir(d.root, 0755), 0);
	daemon_put(&d, A, "x");
	daemon_expect(&d, "SELECT state FROM file", "done");
	daemon_expect(&d, "SELECT cause || ' ' || (closed_ns IS NOT NULL) FROM gap", "root 1");
	daemon_finish(&d);
}
