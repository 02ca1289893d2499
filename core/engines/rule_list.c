/*
 * rule_list: see rule_list.h.
 *
 * Links that lead back up would make a tree without end, or one of 2^32 places: a directory counts
 * where it is met first.
 */
#include "core/engines/rule_list.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"

struct place {
	dev_t device;
	ino_t inode;
};

struct walk {
	struct rule_list *list;
	size_t prefix; /* bytes of a path before the name relative to what was configured */
	unsigned depth;
	struct place seen[RULE_LIST_DIRECTORIES]; /* directories */
	size_t seen_count;
	struct error *err;
};

static void problem(struct rule_list *list, const char *path, const char *words)
{
	AUTO_STR text = STR_INIT;
	str_printf(&text, "%s: %s", path, words);
	list->problems = xrealloc(list->problems, list->problem_count + 1, sizeof *list->problems);
	list->problems[list->problem_count++] = str_take(&text);
}

/* Among the first count files. */
static bool listed(const struct rule_list *list, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list->items[i].path, path) == 0)
			return true;
	}
	return false;
}

static bool name_taken(const struct rule_list *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	}
	return false;
}

static int add(struct rule_list *list, const char *path, const char *name, struct error *err)
{
	if (list->count == RULE_LIST_MAX)
		return error_set(err, E2BIG, "%s: more than %d files of rules", path,
				 RULE_LIST_MAX);
	/* room for one more whenever the count is a power of two */
	if ((list->count & (list->count - 1)) == 0)
		list->items = xrealloc(list->items, list->count ? 2 * list->count : 1,
				       sizeof *list->items);
	list->items[list->count++] =
		(struct rule_path){ .path = xstrdup(path), .name = xstrdup(name) };
	return 0;
}

static bool is_rule_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && dot > name && (strcmp(dot, ".yar") == 0 || strcmp(dot, ".yara") == 0);
}

static bool was_seen(const struct walk *walk, const struct stat *st)
{
	for (size_t i = 0; i < walk->seen_count; i++) {
		if (walk->seen[i].inode == st->st_ino && walk->seen[i].device == st->st_dev)
			return true;
	}
	return false;
}

static int search(struct walk *walk, const char *path);

static int visit_directory(struct walk *walk, const char *path, const struct stat *st)
{
	if (was_seen(walk, st))
		return 0;
	if (walk->depth == RULE_LIST_DEPTH) {
		problem(walk->list, path, "too deep: not searched");
		return 0;
	}
	if (walk->seen_count == RULE_LIST_DIRECTORIES)
		return error_set(walk->err, E2BIG, "%s: more than %d directories of rules", path,
				 RULE_LIST_DIRECTORIES);
	walk->seen[walk->seen_count++] =
		(struct place){ .device = st->st_dev, .inode = st->st_ino };
	walk->depth++;
	int result = search(walk, path);
	walk->depth--;
	return result;
}

static int visit(struct walk *walk, const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		if (is_rule_name(strrchr(path, '/') + 1)) /* a link to nowhere */
			problem(walk->list, path, error_text(errno));
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return visit_directory(walk, path, &st);
	if (!is_rule_name(strrchr(path, '/') + 1))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		problem(walk->list, path, "not a regular file");
		return 0;
	}
	return add(walk->list, path, path + walk->prefix, walk->err);
}

static int is_shown(const struct dirent *item)
{
	return item->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int search(struct walk *walk, const char *path)
{
	struct dirent **items = NULL;
	int count = scandir(path, &items, is_shown, by_bytes);
	if (count < 0) {
		problem(walk->list, path, error_text(errno));
		return 0;
	}
	int result = 0;
	for (int i = 0; i < count; i++) {
		AUTO_STR below = STR_INIT;
		str_printf(&below, "%s/%s", path, items[i]->d_name);
		if (result == 0)
			result = visit(walk, str_text(&below));
		free(items[i]);
	}
	free(items);
	return result;
}

static int sort_by_path(const void *a, const void *b)
{
	const struct rule_path *one = a;
	const struct rule_path *other = b;
	return strcmp(one->path, other->path);
}

/* Appends what one configured path means, under names that are still free. */
static int merge(struct rule_list *list, const struct rule_list *part, struct error *err)
{
	const size_t before = list->count; /* within a part all differ */
	int result = 0;
	for (size_t i = 0; i < part->count && result == 0; i++) {
		const struct rule_path *item = &part->items[i];
		bool taken = name_taken(list, before, item->name);
		if (!listed(list, before, item->path))
			result = add(list, item->path, taken ? item->path : item->name, err);
	}
	for (size_t i = 0; i < part->problem_count; i++) {
		list->problems =
			xrealloc(list->problems, list->problem_count + 1, sizeof *list->problems);
		list->problems[list->problem_count++] = xstrdup(part->problems[i]);
	}
	return result;
}

static int make_part(struct rule_list *part, const char *path, struct error *err)
{
	AUTO_STR trimmed = STR_INIT;
	str_puts(&trimmed, path);
	while (trimmed.len > 1 && trimmed.data[trimmed.len - 1] == '/')
		trimmed.data[--trimmed.len] = '\0';
	struct stat st;
	if (stat(str_text(&trimmed), &st) < 0)
		return error_set(err, errno, "rules %s: %s", path, error_text(errno));
	const char *slash = strrchr(str_text(&trimmed), '/');
	if (!S_ISDIR(st.st_mode))
		return add(part, str_text(&trimmed), slash ? slash + 1 : str_text(&trimmed), err);
	struct walk *walk AUTO_FREE = xcalloc(1, sizeof *walk);
	walk->list = part;
	walk->prefix = trimmed.len + 1;
	walk->err = err;
	int result = visit_directory(walk, str_text(&trimmed), &st);
	if (part->count)
		qsort(part->items, part->count, sizeof *part->items, sort_by_path);
	return result;
}

int rule_list_make(struct rule_list *out, char *const *paths, size_t count, struct error *err)
{
	__attribute__((cleanup(rule_list_cleanup))) struct rule_list list = { 0 };
	for (size_t i = 0; i < count; i++) {
		__attribute__((cleanup(rule_list_cleanup))) struct rule_list part = { 0 };
		int result = make_part(&part, paths[i], err);
		if (result == 0)
			result = merge(&list, &part, err);
		if (result < 0)
			return result;
	}
	*out = list;
	list = (struct rule_list){ 0 };
	return 0;
}

void rule_list_done(struct rule_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].path);
		free(list->items[i].name);
	}
	for (size_t i = 0; i < list->problem_count; i++)
		free(list->problems[i]);
	free(list->items);
	free(list->problems);
	*list = (struct rule_list){ 0 };
}
