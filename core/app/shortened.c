/* shortened: see shortened.h. */
#include "core/app/shortened.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/list.h"
#include "core/base/lock.h"
#include "core/base/mem.h"
#include "core/base/table.h"

struct shortened {
	struct lock lock;
	/* guarded by lock */
	struct table by_path;
	struct list oldest_first;
};

struct subject {
	struct table_link by_path;
	struct list link;
	const char *words;
	size_t len;
	char path[];
};

struct shortened *shortened_new(void)
{
	struct shortened *shortened = xcalloc(1, sizeof *shortened);
	lock_init(&shortened->lock);
	list_init(&shortened->oldest_first);
	return shortened;
}

static void drop(struct shortened *shortened, struct subject *subject)
{
	table_remove(&shortened->by_path, &subject->by_path);
	list_unlink(&subject->link);
	free(subject);
}

void shortened_free(struct shortened *shortened)
{
	if (!shortened)
		return;
	while (!list_empty(&shortened->oldest_first))
		drop(shortened, LIST_OF(shortened->oldest_first.next, struct subject, link));
	table_done(&shortened->by_path);
	lock_done(&shortened->lock);
	free(shortened);
}

static struct subject *find(const struct shortened *shortened, const char *path, size_t len)
{
	struct table_link *link = NULL;
	if (shortened->by_path.count > 0) /* the usual case costs no hash */
		link = table_first(&shortened->by_path, table_hash(path, len));
	for (; link; link = table_next(link)) {
		struct subject *subject = TABLE_OF(link, struct subject, by_path);
		if (subject->len == len && memcmp(subject->path, path, len) == 0)
			return subject;
	}
	return NULL;
}

bool shortened_add(struct shortened *shortened, const char *path, size_t len, const char *words)
{
	bool room = true;
	lock_take(&shortened->lock);
	if (!find(shortened, path, len)) {
		room = shortened->by_path.count < SHORTENED_MAX;
		if (!room)
			drop(shortened,
			     LIST_OF(shortened->oldest_first.next, struct subject, link));
		struct subject *subject = xcalloc(1, sizeof *subject + len + 1);
		memcpy(subject->path, path, len);
		subject->len = len;
		subject->words = words;
		table_insert(&shortened->by_path, &subject->by_path, table_hash(path, len));
		list_append(&shortened->oldest_first, &subject->link);
	}
	lock_drop(&shortened->lock);
	return room;
}

const char *shortened_find(struct shortened *shortened, const char *path, size_t len)
{
	lock_take(&shortened->lock);
	const struct subject *subject = find(shortened, path, len);
	const char *words = subject ? subject->words : NULL;
	lock_drop(&shortened->lock);
	return words;
}

void shortened_remove(struct shortened *shortened, const char *path, size_t len)
{
	lock_take(&shortened->lock);
	struct subject *subject = find(shortened, path, len);
	if (subject)
		drop(shortened, subject);
	lock_drop(&shortened->lock);
}
