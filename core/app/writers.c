/* writers: see writers.h. */
#include "core/app/writers.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/app/job.h"
#include "core/app/roots.h"
#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/mem.h"

#define ENABLED "/proc/sys/fs/leases-enable"

static bool leases_are_off(void)
{
	char first = '1';
	AUTO_CLOSE int fd = open(ENABLED, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &first, 1) == 1 && first == '0';
}

void writers_begin(struct app *app)
{
	uint32_t count = (uint32_t)roots_count(app->roots);
	if (count == 0 || !leases_are_off())
		return;
	for (uint32_t i = 0; i < count; i++)
		roots_note_sight(app->roots, i, LEASE_BLIND);
	log_warning(
		"leases are off, so writers are not seen: what nobody says to be complete waits "
		"for \"settle\"; sysctl fs.leases-enable=1 mends it");
}

static const char *remedy(int error)
{
	return error == EACCES ? "; CAP_LEASE, or running as the files' owner, mends it" : "";
}

void writers_heard(struct app *app, const struct job *job)
{
	if (job->lease == LEASE_UNTRIED || job->root >= roots_count(app->roots) ||
	    roots_sight(app->roots, job->root) >= job->lease)
		return;
	roots_note_sight(app->roots, job->root, job->lease);
	if (job->lease == LEASE_BLIND)
		log_warning("no lease on a file, so writers are not seen: what nobody says to be "
			    "complete waits for \"settle\" root=%s error=%s%s path=%s",
			    roots_path(app->roots, job->root), error_text(job->lease_error),
			    remedy(job->lease_error), job->version->path);
}

const char *writers_name(const struct app *app, uint32_t root)
{
	switch (roots_sight(app->roots, root)) {
	case LEASE_UNTRIED:
		return "untried";
	case LEASE_SEES:
		return "lease";
	case LEASE_BLIND:
		return "settle";
	}
	return "";
}
