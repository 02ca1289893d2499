#include <criterion/criterion.h>
#include <poll.h>

#include "core/app/job.h"
#include "core/app/outbox.h"
#include "core/base/error.h"

static int readable(const struct outbox *outbox)
{
	struct pollfd fd = { .fd = outbox_fd(outbox), .events = POLLIN };
	return poll(&fd, 1, 0);
}

Test(outbox, jobs_come_out_in_order_and_the_descriptor_tells)
{
	struct outbox *outbox;
	struct error err;
	cr_assert_eq(outbox_new(&outbox, &err), 0);
	struct job jobs[3] = { 0 };
	cr_assert_eq(readable(outbox), 0);
	for (size_t i = 0; i < 3; i++) {
		list_init(&jobs[i].result_link);
		outbox_put(outbox, &jobs[i]);
	}
	cr_assert_eq(readable(outbox), 1);
	struct list taken;
	list_init(&taken);
	outbox_take(outbox, &taken);
	cr_assert_eq(readable(outbox), 0);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(list_shift(&taken), &jobs[i].result_link);
	cr_assert(list_empty(&taken));
	outbox_free(outbox);
}
