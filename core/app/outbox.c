/* outbox: see outbox.h. */
#include "core/app/outbox.h"

#include <sys/eventfd.h>

#include <errno.h>
#include <unistd.h>

#include "core/app/job.h"
#include "core/base/error.h"
#include "core/base/lock.h"
#include "core/base/mem.h"

struct outbox {
	int fd; /* eventfd */
	struct lock lock;
	/* guarded by lock */
	struct list jobs;
};

int outbox_new(struct outbox **out, struct error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return error_set(err, errno, "eventfd: %s", error_text(errno));
	struct outbox *outbox = xcalloc(1, sizeof *outbox);
	outbox->fd = fd;
	lock_init(&outbox->lock);
	list_init(&outbox->jobs);
	*out = outbox;
	return 0;
}

void outbox_free(struct outbox *outbox)
{
	if (!outbox)
		return;
	fd_close(outbox->fd);
	lock_done(&outbox->lock);
	free(outbox);
}

void outbox_kick(struct outbox *outbox)
{
	/* an eventfd at its limit is readable all the same: eventfd(2) */
	const uint64_t one = 1;
	ssize_t ignored = write(outbox->fd, &one, sizeof one);
	(void)ignored;
}

void outbox_put(struct outbox *outbox, struct job *job)
{
	lock_take(&outbox->lock);
	bool first = list_empty(&outbox->jobs);
	list_append(&outbox->jobs, &job->result_link);
	lock_drop(&outbox->lock);
	if (first)
		outbox_kick(outbox);
}

void outbox_take(struct outbox *outbox, struct list *jobs)
{
	uint64_t count;
	ssize_t ignored = read(outbox->fd, &count, sizeof count);
	(void)ignored; /* EAGAIN: nothing was put since */
	lock_take(&outbox->lock);
	list_splice(jobs, &outbox->jobs);
	lock_drop(&outbox->lock);
}

bool outbox_is_empty(struct outbox *outbox)
{
	lock_take(&outbox->lock);
	bool empty = list_empty(&outbox->jobs);
	lock_drop(&outbox->lock);
	return empty;
}

int outbox_fd(const struct outbox *outbox)
{
	return outbox->fd;
}
