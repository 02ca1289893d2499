/* spawn_plan: see spawn_plan.h. */
#include "core/detect/spawn_plan.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/detect/executable.h"

static char **grow(char **list, size_t count)
{
	list = xrealloc(list, count + 2, sizeof *list);
	list[count + 1] = NULL;
	return list;
}

void spawn_plan_arg(struct spawn_plan *plan, const char *text, size_t len)
{
	plan->argv = grow(plan->argv, plan->argc);
	plan->argv[plan->argc++] = xmemdup(text, len);
}

/* The place of the variable called name, envc when it is not set. */
static size_t find_env(const struct spawn_plan *plan, const char *name)
{
	size_t len = strlen(name);
	size_t at = 0;
	while (at < plan->envc &&
	       (strncmp(plan->envp[at], name, len) != 0 || plan->envp[at][len] != '='))
		at++;
	return at;
}

void spawn_plan_env(struct spawn_plan *plan, const char *name, const char *value)
{
	assert(*name && !strchr(name, '='));
	AUTO_STR text = STR_INIT;
	str_puts(&text, name);
	str_putc(&text, '=');
	str_puts(&text, value);
	size_t at = find_env(plan, name);
	if (at == plan->envc) {
		plan->envp = grow(plan->envp, plan->envc++);
		plan->envp[at] = NULL;
	}
	free(plan->envp[at]);
	plan->envp[at] = str_take(&text);
}

void spawn_plan_base_env(struct spawn_plan *plan)
{
	spawn_plan_env(plan, "PATH", EXECUTABLE_PATH);
	spawn_plan_env(plan, "LANG", "C.UTF-8");
}

void spawn_plan_done(struct spawn_plan *plan)
{
	for (size_t i = 0; i < plan->argc; i++)
		free(plan->argv[i]);
	for (size_t i = 0; i < plan->envc; i++)
		free(plan->envp[i]);
	free(plan->argv);
	free(plan->envp);
	free(plan->cwd);
	free(plan->program);
	*plan = (struct spawn_plan){ 0 };
}

static const char *path_of(const struct spawn_plan *plan)
{
	size_t at = find_env(plan, "PATH");
	return at < plan->envc ? plan->envp[at] + strlen("PATH=") : EXECUTABLE_PATH;
}

/* What the child's descriptors become, in the child. Results are errno values, 0 when done. */
static int plan_files(posix_spawn_file_actions_t *actions, const struct spawn_plan *plan,
		      const struct spawn_fds *fds)
{
	int result = 0;
	if (fds) {
		const int sources[] = { fds->out, fds->err, fds->report, fds->sample, fds->launch };
		assert(fds->in <= 0 || fds->in > 9);
		result = fds->in > 0
				 ? posix_spawn_file_actions_adddup2(actions, fds->in, STDIN_FILENO)
				 : posix_spawn_file_actions_addopen(actions, STDIN_FILENO,
								    "/dev/null", O_RDONLY, 0);
		for (int i = 0; i < 5 && result == 0; i++) {
			assert(sources[i] < 0 || sources[i] > 9);
			result = sources[i] < 0 ? posix_spawn_file_actions_addclose(actions, i + 1)
						: posix_spawn_file_actions_adddup2(
							  actions, sources[i], i + 1);
		}
	}
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(actions, fds ? 6 : 3);
	if (result == 0 && plan->cwd)
		result = posix_spawn_file_actions_addchdir_np(actions, plan->cwd);
	return result;
}

static int plan_attributes(posix_spawnattr_t *attributes, bool session)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	if (session)
		flags |= POSIX_SPAWN_SETSID;
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)sigdelset(&all, SIGKILL);
	(void)sigdelset(&all, SIGSTOP);
	int result = posix_spawnattr_setflags(attributes, flags);
	if (result == 0)
		result = posix_spawnattr_setsigmask(attributes, &none);
	if (result == 0)
		result = posix_spawnattr_setsigdefault(attributes, &all);
	return result;
}

static int try_spawn(const struct spawn_plan *plan, const char *file, const struct spawn_fds *fds,
		     pid_t *out_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int result = posix_spawn_file_actions_init(&actions);
	if (result != 0)
		return result;
	result = posix_spawnattr_init(&attributes);
	if (result == 0) {
		result = plan_files(&actions, plan, fds);
		if (result == 0)
			result = plan_attributes(&attributes, fds != NULL);
		if (result == 0)
			result = posix_spawn(out_pid, file, &actions, &attributes, plan->argv,
					     plan->envp);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return result;
}

/* posix_spawn(3) gives one errno for every step; which one failed is found out afterwards. */
static int explain(const struct spawn_plan *plan, const char *file, int code, struct error *err)
{
	struct stat st;
	if (plan->cwd && stat(plan->cwd, &st) < 0)
		return error_set(err, code, "working directory %s: %s", plan->cwd,
				 error_text(errno));
	if (plan->cwd && !S_ISDIR(st.st_mode))
		return error_set(err, code, "working directory %s: not a directory", plan->cwd);
	if (plan->cwd && faccessat(AT_FDCWD, plan->cwd, X_OK, AT_EACCESS) < 0)
		return error_set(err, code, "working directory %s: %s", plan->cwd,
				 error_text(errno));
	if (code == ENOEXEC)
		return error_set(err, code,
				 "cannot run %s: %s (a script needs a first line #!INTERPRETER)",
				 file, error_text(code));
	if (code == ENOENT && access(file, F_OK) == 0)
		return error_set(err, code, "cannot run %s: its interpreter (#! line) is missing",
				 file);
	return error_set(err, code, "cannot run %s: %s", file, error_text(code));
}

char *spawn_plan_find(const struct spawn_plan *plan, struct error *err)
{
	char *file = plan->program ? xstrdup(plan->program)
				   : executable_find(plan->argv[0], path_of(plan));
	if (!file)
		(void)error_set(err, ENOENT, "cannot run %s: no such program in PATH=%s",
				plan->argv[0], path_of(plan));
	return file;
}

static int start(const struct spawn_plan *plan, const struct spawn_fds *fds, pid_t *out_pid,
		 struct error *err)
{
	assert(plan->argc > 0 && plan->envp);
	AUTO_FREE char *file = spawn_plan_find(plan, err);
	if (!file)
		return -ENOENT;
	int code = try_spawn(plan, file, fds, out_pid);
	return code == 0 ? 0 : explain(plan, file, code, err);
}

int spawn_plan_start(const struct spawn_plan *plan, const struct spawn_fds *fds, pid_t *out_pid,
		     struct error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_NO_NEW_PRIVS): %s", error_text(errno));
	return start(plan, fds, out_pid, err);
}

int spawn_plan_run_foreground(const struct spawn_plan *plan, int *out_status, struct error *err)
{
	pid_t pid = 0;
	int result = start(plan, NULL, &pid, err);
	if (result < 0)
		return result;
	int status = 0;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_set(err, errno, "waitpid: %s", error_text(errno));
	}
	*out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}
