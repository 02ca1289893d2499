/* overdue: see overdue.h. */
#include "core/dispose/overdue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/dispose/choose.h"
#include "core/dispose/origin.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"

#define NOTE "it has been here for long enough, and goes"

struct finding_old {
	int64_t age_ms;
	int64_t left_ms;
	struct removals *out;
};

/* They come in the order in which they were intended, which is nearly that of their ends. */
static bool take_old(void *context, const struct removal_task *task)
{
	struct finding_old *finding = context;
	const struct removal *removal = &task->removal;
	int64_t here_ms = (clock_wall_ns() - removal->ended_ns) / CLOCK_NS_PER_MS;
	if (here_ms < finding->age_ms) {
		finding->left_ms = finding->age_ms - here_ms;
		return false;
	}
	struct removal copy = *removal;
	copy.place = xstrdup(removal->place);
	copy.note = xstrdup(NOTE);
	removals_add(finding->out, &copy);
	return finding->out->count < CHOOSE_AT_ONCE;
}

int overdue_find(struct removal_reader *reader, int64_t age_ms, struct removals *out,
		 int64_t *left_ms, struct error *err)
{
	struct finding_old finding = { .age_ms = age_ms, .left_ms = -1, .out = out };
	const struct removal_visit each = { take_old, &finding };
	int result = removal_reader_quarantined(reader, 0, &each, err);
	*left_ms = finding.left_ms;
	return result;
}

static bool is_recorded(void *context, const struct removal_task *task)
{
	const struct removal *removal = &task->removal;
	*(bool *)context = removal->state == REMOVAL_QUARANTINED && removal->note &&
			   strcmp(removal->note, NOTE) == 0;
	return false;
}

/* Its place may be the quarantine of an earlier configuration. One that is gone is gone. */
static int delete_there(const char *place, struct error *err)
{
	const char *slash = strrchr(place, '/');
	if (!slash)
		return error_set(err, EBADMSG, "%s is no place of a quarantine", place);
	AUTO_FREE char *directory = xmemdup(place, (size_t)(slash - place));
	AUTO(vault) struct vault *vault = NULL;
	int result = vault_visit(&vault, directory, err);
	if (result < 0)
		return result;
	char json[ORIGIN_NAME];
	origin_name(json, slash + 1);
	if ((unlinkat(vault->fd, slash + 1, 0) < 0 && errno != ENOENT) ||
	    (unlinkat(vault->fd, json, 0) < 0 && errno != ENOENT))
		return error_set(err, errno, "%s: it cannot be deleted: %s", place,
				 error_text(errno));
	(void)fsync(vault->fd); /* a power cut brings none back */
	return 0;
}

static void overdue_one(struct removal_reader *reader, struct removal *removal, struct error *err)
{
	bool recorded = false;
	struct error why = { 0 };
	const struct removal_visit each = { is_recorded, &recorded };
	int result = removal_reader_quarantined(reader, removal->id, &each, &why);
	if (result == 0 && recorded)
		result = delete_there(removal->place, &why);
	if (result < 0)
		*err = why;
	if (result < 0 || !recorded)
		return;
	removal->state = REMOVAL_EXPIRED;
	removal->ended_ns = clock_wall_ns();
	free(TAKE(removal->note));
}

void overdue_do(struct removal_reader *reader, struct removals *removals, struct error *err)
{
	*err = (struct error){ 0 };
	for (size_t i = 0; i < removals->count; i++)
		overdue_one(reader, &removals->items[i], err);
}
