/* unread: a history that cannot be read is told of, but not for each file. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/app/state.h"
#include "core/app/unread.h"
#include "core/base/error.h"
#include "tests/unit/stderr_capture.h"

Test(unread, thousands_of_files_make_one_line)
{
	struct app app = { 0 };
	struct error err = { 0 };
	seldom_init(&app.unread);
	(void)error_set(&err, EBADMSG, "it is corrupt");
	capture();
	for (int i = 0; i < 16384; i++)
		unread_tell(&app, &err);
	cr_assert_str_eq(captured(), "<3>carved: cannot read the history: it is corrupt\n");
	cr_assert_eq(app.unread.untold, 16383);
	seldom_done(&app.unread);
}

Test(unread, it_is_said_again_later_and_how_often_it_was_true)
{
	struct app app = { 0 };
	struct error err = { 0 };
	seldom_init(&app.unread);
	(void)error_set(&err, EBADMSG, "it is corrupt");
	app.unread.told = mono_add_ms(mono_now(), -60000);
	app.unread.untold = 7;
	capture();
	unread_tell(&app, &err);
	unread_tell(&app, &err);
	cr_assert_str_eq(captured(),
			 "<3>carved: cannot read the history: it is corrupt others=7\n");
	seldom_done(&app.unread);
}
