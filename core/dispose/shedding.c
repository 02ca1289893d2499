/* shedding: see shedding.h. */
#include "core/dispose/shedding.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/dispose/lane.h"

struct choosing {
	struct shedding *shedding;
	const struct shedding_view *view;
	size_t glob;
	uint64_t bytes; /* of those that were chosen */
};

static bool is_enough(const struct choosing *choosing)
{
	const struct disk *disk = choosing->view->disk;
	size_t count = choosing->shedding->count;
	return count == SHED_AT_ONCE ||
	       (choosing->bytes >= disk->need_bytes && count >= disk->need_files);
}

/* An earlier glob may match too: then it was chosen by that, or will be. */
static bool is_of_glob(const struct choosing *choosing, const char *mime)
{
	char *const *globs = choosing->view->config->retention.shed;
	for (size_t i = 0; i <= choosing->glob; i++) {
		char *const one[] = { globs[i], NULL };
		if (config_mime_matches(one, mime))
			return i == choosing->glob;
	}
	return false;
}

/* Giving up what cannot be removed then makes no room. */
static bool can_be_removed(const struct store_kept *row)
{
	size_t len = row->path_len;
	while (len > 1 && row->path[len - 1] != '/')
		len--;
	AUTO_FREE char *directory = xmemdup(row->path, len);
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0;
}

static bool visit(void *context, const struct store_kept *row)
{
	struct choosing *choosing = context;
	struct shedding *shedding = choosing->shedding;
	shedding->at[choosing->glob] = row->at;
	if (disk_gains(choosing->view->disk, row->identity.size) &&
	    is_of_glob(choosing, row->mime) && row->identity.fsid == choosing->view->disk->fsid &&
	    lane_is_there(choosing->view->config, row) && can_be_removed(row)) {
		shedding->ids[shedding->count++] = row->at.id;
		choosing->bytes += disk_takes(row->identity.size);
	}
	return !is_enough(choosing);
}

static size_t globs_of(const struct config *config)
{
	size_t count = 0;
	while (config->retention.shed && config->retention.shed[count])
		count++;
	return count;
}

int shedding_choose(struct shedding *shedding, const struct shedding_view *view, struct error *err)
{
	size_t globs = globs_of(view->config);
	if (!shedding->at) {
		shedding->at = xcalloc(globs + 1, sizeof *shedding->at);
		for (size_t i = 0; i < globs; i++)
			shedding->at[i].key = INT64_MIN;
	}
	shedding->count = 0;
	struct choosing choosing = { .shedding = shedding, .view = view };
	const struct kept_visit each = { visit, &choosing };
	int result = 0;
	for (; result == 0 && choosing.glob < globs && !is_enough(&choosing); choosing.glob++)
		result = kept_each(view->reader, KEPT_QUEUED, shedding->at[choosing.glob], &each,
				   err);
	return result;
}

void shedding_end(struct shedding *shedding)
{
	free(TAKE(shedding->at));
	shedding->count = 0;
}
