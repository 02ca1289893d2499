/* rule_set: see rule_set.h. */
#include "core/engines/rule_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/engines/engine.h"
#include "core/engines/keep.h"
#include "core/engines/rule_file.h"
#include "core/engines/rule_list.h"

/* Goes into the digest: to be raised when the same rules would give other answers. */
#define ENGINE_VERSION "carved-yara-1"

struct loading {
	const struct engine_start *start;
	struct helper_hello *hello;
	struct keep earlier;
	struct rule_list list;
	struct rule_file *files; /* one for each of the list */
	struct rule_set *set;
};

static void append_set(struct rule_set *set, YR_RULES *rules)
{
	set->sets = xrealloc(set->sets, set->count + 1, sizeof(YR_RULES *));
	set->sets[set->count++] = rules;
}

/* What was kept of the file, if anything. */
static bool find_kept(const struct loading *loading, const char *path, struct keep_record *out)
{
	struct wire at = keep_begin(&loading->earlier);
	while (keep_next(&at, out)) {
		bool of_file = out->kind == KEEP_GOOD || out->kind == KEEP_OLD;
		if (of_file && out->name.len == strlen(path) &&
		    memcmp(out->name.at, path, out->name.len) == 0)
			return true;
	}
	return false;
}

static void problem(struct loading *loading, const char *words, bool kept)
{
	char text[HELPER_PROBLEM_MAX];
	(void)snprintf(text, sizeof text, "%s%s", words,
		       kept ? "; its last good state is kept" : "");
	helper_problem(loading->hello, text);
	loading->hello->failed++;
	loading->hello->kept += kept;
}

static void load_file(struct loading *loading, size_t i)
{
	struct rule_file *file = &loading->files[i];
	struct error err = { 0 };
	struct error other = { 0 };
	struct keep_record record;
	file->path = loading->list.items[i].path;
	file->name = loading->list.items[i].name;
	if (rule_file_load(file, &err) == 0)
		return;
	bool kept = find_kept(loading, file->path, &record) &&
		    rule_file_restore(file, &record, &other) == 0;
	problem(loading, err.text, kept);
}

/* Files that compile alone should do so together; should libyara think otherwise, each stays its
 * own set. */
static void make_sets(struct loading *loading)
{
	struct error err = { 0 };
	YR_RULES *joint = NULL;
	bool joined = rule_file_join(&joint, loading->files, loading->list.count, &err) == 0;
	if (joint)
		append_set(loading->set, joint);
	for (size_t i = 0; i < loading->list.count; i++) {
		struct rule_file *file = &loading->files[i];
		if (file->rules && (file->old || !joined))
			append_set(loading->set, TAKE(file->rules));
	}
}

static void make_digest(const struct loading *loading)
{
	AUTO(hash) struct hash *hash = hash_new();
	hash_text(hash, ENGINE_VERSION);
	hash_text(hash, YR_VERSION);
	for (size_t i = 0; i < loading->list.count; i++) {
		const struct rule_file *file = &loading->files[i];
		if (!file->rules)
			continue;
		hash_text(hash, file->name);
		hash_text(hash, file->hash);
		loading->hello->reads |= file->reads;
	}
	hash_end(hash, loading->hello->digest);
}

static int keep_rules(int fd, struct keep_record *record, YR_RULES *rules, struct error *err)
{
	AUTO_STR bytes = STR_INIT;
	int result = rule_file_save(rules, &bytes, err);
	if (result < 0)
		return result;
	record->bytes = (struct wire_bytes){ .at = bytes.data, .len = bytes.len };
	return keep_write(fd, record, err);
}

/* Each file by itself, for the day when it no longer compiles. */
static int keep_files(const struct loading *loading, struct error *err)
{
	int result = 0;
	for (size_t i = 0; i < loading->list.count && result == 0; i++) {
		const struct rule_file *file = &loading->files[i];
		struct keep_record record = {
			.kind = file->old ? KEEP_OLD : KEEP_GOOD,
			.name = { .at = file->path, .len = strlen(file->path) },
			.hash = { .at = file->hash, .len = strlen(file->hash) },
			.reads = file->reads,
		};
		if (file->rules)
			result = keep_rules(loading->start->keep_fd, &record, file->rules, err);
	}
	return result;
}

/* What is in force, for a helper that takes the place of this one. */
static int keep_sets(const struct loading *loading, struct error *err)
{
	AUTO_STR packet = STR_INIT;
	helper_put_hello(&packet, loading->hello);
	struct keep_record record = { .kind = KEEP_HELLO,
				      .bytes = { .at = packet.data, .len = packet.len } };
	int result = keep_write(loading->start->keep_fd, &record, err);
	for (size_t i = 0; i < loading->set->count && result == 0; i++) {
		record = (struct keep_record){ .kind = KEEP_SET };
		result = keep_rules(loading->start->keep_fd, &record, loading->set->sets[i], err);
	}
	return result;
}

static int nothing_left(const struct loading *loading, struct error *err)
{
	const struct helper_hello *hello = loading->hello;
	if (hello->problem_count)
		return error_set(err, EINVAL, "no file of rules compiles (%llu failed): %.300s",
				 (unsigned long long)hello->failed, hello->problems[0]);
	return error_set(err, EINVAL, "there are no rules in %s",
			 loading->start->load->path_count ? loading->start->load->paths[0] : "?");
}

static int load_all(struct loading *loading, struct error *err)
{
	const struct helper_load *load = loading->start->load;
	int result = rule_list_make(&loading->list, load->paths, load->path_count, err);
	if (result < 0)
		return result;
	for (size_t i = 0; i < loading->list.problem_count; i++)
		problem(loading, loading->list.problems[i], false);
	loading->files = xcalloc(loading->list.count, sizeof *loading->files);
	for (size_t i = 0; i < loading->list.count; i++)
		load_file(loading, i);
	make_digest(loading);
	loading->hello->files = loading->list.count;
	if (loading->start->keep_fd >= 0)
		result = keep_files(loading, err);
	if (result < 0)
		return result;
	make_sets(loading);
	for (size_t i = 0; i < loading->set->count; i++)
		loading->hello->rules += loading->set->sets[i]->num_rules;
	if (!loading->hello->rules)
		return nothing_left(loading, err);
	loading->hello->ok = true;
	return loading->start->keep_fd >= 0 ? keep_sets(loading, err) : 0;
}

/* The packet that the helper before sent, without its problems: they were told. */
static bool restore_hello(const struct keep_record *record, struct helper_hello *out)
{
	AUTO_STR packet = STR_INIT;
	str_append(&packet, record->bytes.at, record->bytes.len);
	struct helper_hello *hello AUTO_FREE = xcalloc(1, sizeof *hello);
	if (!helper_read_hello(&packet, hello))
		return false;
	helper_hello_done(out);
	*out = *hello;
	return true;
}

static int restore_all(struct loading *loading, struct error *err)
{
	struct wire at = keep_begin(&loading->earlier);
	struct keep_record record;
	bool told = false;
	int result = 0;
	while (result == 0 && keep_next(&at, &record)) {
		YR_RULES *rules = NULL;
		if (record.kind == KEEP_HELLO)
			told = restore_hello(&record, loading->hello);
		if (record.kind != KEEP_SET)
			continue;
		result = rule_file_read(&rules, record.bytes.at, record.bytes.len, err);
		if (result == 0)
			append_set(loading->set, rules);
	}
	if (result == 0 && (!told || !loading->set->count))
		result = error_set(err, EINVAL, "nothing was kept");
	return result;
}

int rule_set_load(struct rule_set **out, const struct engine_start *start,
		  struct helper_hello *hello, struct error *err)
{
	AUTO(rule_set) struct rule_set *set = xcalloc(1, sizeof *set);
	struct loading loading = { .start = start, .hello = hello, .set = set };
	int result = keep_open(&loading.earlier, start->kept_fd, err);
	if (result == 0)
		result =
			start->load->restore ? restore_all(&loading, err) : load_all(&loading, err);
	for (size_t i = 0; loading.files && i < loading.list.count; i++)
		rule_file_done(&loading.files[i]);
	free(loading.files);
	rule_list_done(&loading.list);
	keep_done(&loading.earlier);
	if (result < 0)
		return result;
	*out = TAKE(set);
	return 0;
}

void rule_set_free(struct rule_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		(void)yr_rules_destroy(set->sets[i]);
	free(set->sets);
	free(set);
}
