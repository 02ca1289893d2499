/* seldom: said once, then counted, then said again. */
#include <criterion/criterion.h>

#include "core/base/seldom.h"

static struct seldom seldom;
static unsigned long long others;

static void setup(void)
{
	seldom_init(&seldom);
	others = 99;
}

static void teardown(void)
{
	seldom_done(&seldom);
}

TestSuite(seldom, .init = setup, .fini = teardown);

Test(seldom, the_first_is_said_and_those_behind_it_are_counted)
{
	cr_assert(seldom_say(&seldom, &others));
	cr_assert_eq(others, 0);
	others = 99;
	for (int i = 0; i < 1000; i++)
		cr_assert_not(seldom_say(&seldom, &others));
	cr_assert_eq(others, 99, "written only where it is to be said");
	cr_assert_eq(seldom.untold, 1000);
}

Test(seldom, later_it_is_said_again_and_how_often_it_was_true)
{
	cr_assert(seldom_say(&seldom, &others));
	cr_assert_not(seldom_say(&seldom, &others));
	seldom.told = mono_add_ms(mono_now(), -SELDOM_MS);
	cr_assert(seldom_say(&seldom, &others));
	cr_assert_eq(others, 1);
	cr_assert_not(seldom_say(&seldom, &others));
	cr_assert_eq(seldom.untold, 1);
}
