/* cage: see cage.h. */
#include "core/detect/cage.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/digest.h"
#include "core/detect/scratch_dir.h"
#include "core/launcher/order.h"

#define LAUNCHER  "carved-launch"
#define INSTALLED CARVED_LIBEXECDIR "/" LAUNCHER
#define MOVED	  "../" CARVED_LIBEXEC "/" LAUNCHER /* from the directory of the binaries */

/* A path from the directory of our own binary; NULL when /proc does not tell where that is. */
static char *from_us(const char *relative)
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof own);
	while (len > 0 && own[len - 1] != '/')
		len--;
	if (len <= 0)
		return NULL;
	AUTO_STR path = STR_INIT;
	str_append(&path, own, (size_t)len);
	str_puts(&path, relative);
	return str_take(&path);
}

char *cage_launcher(struct error *err)
{
	/* built; installed, wherever the prefix was moved to; installed as configured */
	AUTO_FREE char *built = from_us(LAUNCHER);
	AUTO_FREE char *moved = from_us(MOVED);
	if (built && access(built, X_OK) == 0)
		return TAKE(built);
	if (moved && access(moved, X_OK) == 0)
		return TAKE(moved);
	if (access(INSTALLED, X_OK) == 0)
		return xstrdup(INSTALLED);
	(void)error_set(err, ENOENT,
			LAUNCHER " is missing, and nothing is run without it: looked for %s, %s "
				 "and %s",
			built ? built : "it beside the binary", moved ? moved : MOVED, INSTALLED);
	return NULL;
}

static void add(char ***list, size_t *count, const char *path)
{
	if (*path != '/')
		return;
	*list = xrealloc(*list, *count + 2, sizeof **list);
	(*list)[(*count)++] = xstrdup(path);
	(*list)[*count] = NULL;
}

void cage_file(struct cage *cage, const char *word)
{
	add(&cage->files, &cage->file_count, word);
}

void cage_tree(struct cage *cage, const char *path)
{
	add(&cage->trees, &cage->tree_count, path);
}

void cage_done(struct cage *cage)
{
	for (size_t i = 0; i < cage->file_count; i++)
		free(cage->files[i]);
	for (size_t i = 0; i < cage->tree_count; i++)
		free(cage->trees[i]);
	free(cage->files);
	free(cage->trees);
	free(cage->place);
	*cage = (struct cage){ 0 };
}

void cage_digest(struct digest *digest, char *const *paths, bool network)
{
	for (; paths && *paths; paths++)
		digest_text(digest, *paths);
	digest_number(digest, network);
}

static void word(struct spawn_plan *plan, const char *text)
{
	spawn_plan_arg(plan, text, strlen(text));
}

static void option(struct spawn_plan *plan, const char *name, const char *value)
{
	AUTO_STR text = STR_INIT;
	str_printf(&text, "--%s%s%s", name, value ? "=" : "", value ? value : "");
	word(plan, str_text(&text));
}

static void number(struct spawn_plan *plan, const char *name, int64_t value)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%" PRId64, value);
	option(plan, name, text);
}

static void options(struct spawn_plan *plan, const char *name, char *const *values)
{
	for (; values && *values; values++)
		option(plan, name, *values);
}

static void add_policy(struct spawn_plan *plan, const struct cage *cage, bool has_sample)
{
	number(plan, ORDER_PARENT, getpid());
	options(plan, ORDER_FILE, cage->files);
	options(plan, ORDER_TREE, cage->trees);
	if (cage->network)
		option(plan, ORDER_NETWORK, NULL);
	if (cage->open)
		option(plan, ORDER_OPEN, NULL);
	if (has_sample)
		option(plan, ORDER_SAMPLE, cage->keep_sample ? "keep" : "hide");
	number(plan, ORDER_MEMORY, CAGE_MEMORY);
	number(plan, ORDER_FILE_SIZE, CAGE_FILE_SIZE);
}

/* The plan's own variables, and where it may write, unless they say that. */
static void add_environment(struct spawn_plan *out, const struct spawn_plan *plan,
			    const char *scratch)
{
	bool tmpdir = false;
	bool home = false;
	for (size_t i = 0; i < plan->envc; i++) {
		const char *equals = strchr(plan->envp[i], '=');
		AUTO_FREE char *name = xmemdup(plan->envp[i], (size_t)(equals - plan->envp[i]));
		spawn_plan_env(out, name, equals + 1);
		tmpdir = tmpdir || strcmp(name, "TMPDIR") == 0;
		home = home || strcmp(name, "HOME") == 0;
	}
	if (!tmpdir && scratch)
		spawn_plan_env(out, "TMPDIR", scratch);
	if (!home)
		spawn_plan_env(out, "HOME", scratch ? scratch : "/");
}

/* The launcher's words, then the program's. */
static void make_plan(struct spawn_plan *out, const char *launcher, const char *program,
		      const struct spawn_plan *plan)
{
	if (*program == '/')
		option(out, ORDER_FILE, program);
	option(out, ORDER_PROGRAM, program);
	word(out, "--");
	for (size_t i = 0; i < plan->argc; i++)
		word(out, plan->argv[i]);
	out->program = xstrdup(launcher);
	out->cwd = xstrdup(plan->cwd);
}

int caged_make(struct caged *caged, const struct spawn_plan *plan, const struct cage *cage,
	       bool has_sample, struct error *err)
{
	*caged = (struct caged){ 0 };
	AUTO_FREE char *program = spawn_plan_find(plan, err);
	AUTO_FREE char *launcher = program ? cage_launcher(err) : NULL;
	if (!launcher)
		return -ENOENT;
	int result = cage->open ? 0 : scratch_dir_make(cage->place, &caged->scratch, err);
	if (result < 0)
		return result;
	caged->place = cage->place ? xstrdup(cage->place) : NULL;
	word(&caged->plan, LAUNCHER);
	add_policy(&caged->plan, cage, has_sample);
	if (caged->scratch)
		option(&caged->plan, ORDER_SCRATCH, caged->scratch);
	add_environment(&caged->plan, plan, caged->scratch);
	make_plan(&caged->plan, launcher, program, plan);
	return 0;
}

int caged_done(struct caged *caged, struct error *err)
{
	int result = caged->scratch ? scratch_dir_remove(caged->scratch, err) : 0;
	scratch_dir_leave(caged->place);
	spawn_plan_done(&caged->plan);
	free(caged->place);
	free(caged->scratch);
	*caged = (struct caged){ 0 };
	return result;
}
