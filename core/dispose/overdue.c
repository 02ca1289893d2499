/* overdue: see overdue.h. */
#include "core/dispose/overdue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/dispose/ages.h"
#include "core/dispose/choose.h"
#include "core/dispose/origin.h"
#include "core/dispose/vault.h"
#include "core/store/removal_reader.h"

enum {
	FAILED_MS = 5000
};

#define NOTE "it has been here for long enough, and goes"

struct search {
	struct overdue *overdue;
	int64_t age_ms;
	struct removals *out;
};

static void not_later(struct overdue *overdue, struct mono at)
{
	if (at.ns < overdue->next.ns)
		overdue->next = at;
}

/* They come in the order in which they were intended, which is nearly that of their ends. One that
 * ended in the future, as the clock was ahead then, keeps none of the others waiting. */
static bool take_old(void *context, const struct removal_task *task)
{
	struct search *search = context;
	const struct removal *removal = &task->removal;
	int64_t here_ms = ages_ms(search->overdue->ages, removal->ended_ns);
	if (removal->id <= search->overdue->after_id)
		return true;
	if (here_ms < search->age_ms) {
		not_later(search->overdue, mono_add_ms(mono_now(), search->age_ms - here_ms));
		return here_ms < 0;
	}
	struct removal copy = *removal;
	copy.place = xstrdup(removal->place);
	copy.note = xstrdup(NOTE);
	removals_add(search->out, &copy);
	return search->out->count < CHOOSE_AT_ONCE;
}

/* All had their turn. */
static void begin_again(struct overdue *overdue)
{
	overdue->after_id = 0;
	if (!overdue->failed)
		return;
	overdue->again = mono_add_ms(mono_now(), FAILED_MS);
	not_later(overdue, overdue->again);
}

int overdue_find(struct overdue *overdue, struct removal_reader *reader, int64_t age_ms,
		 struct removals *out, struct error *err)
{
	struct search search = { overdue, age_ms, out };
	const struct removal_visit each = { take_old, &search };
	overdue->next = overdue->again;
	if (!mono_passed(overdue->again))
		return 0;
	overdue->next.ns = INT64_MAX;
	if (overdue->after_id == 0)
		overdue->failed = false;
	int result = removal_reader_quarantined(reader, 0, &each, err);
	if (out->count == 0)
		begin_again(overdue);
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
	if (fsync(vault->fd) < 0) /* a power cut brings none back */
		return error_set(err, errno, "%s: it may be there again after a power cut: %s",
				 place, error_text(errno));
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

bool overdue_do(struct overdue *overdue, struct removal_reader *reader, struct removals *removals,
		struct error *err)
{
	*err = (struct error){ 0 };
	for (size_t i = 0; i < removals->count; i++)
		overdue_one(reader, &removals->items[i], err);
	overdue->failed = overdue->failed || err->code;
	bool more = removals->count == CHOOSE_AT_ONCE;
	if (more)
		overdue->after_id = removals->items[removals->count - 1].id;
	else
		begin_again(overdue);
	return more;
}
