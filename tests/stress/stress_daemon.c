/*
 * The whole daemon in this process, all its threads under the sanitizer, while a child process
 * makes, renames, rewrites, links and removes files; at the end every file that is left is
 * accounted for, once per path and content, and nothing is left queued.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/app/app.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/config/config.h"
#include "core/store/query.h"

#define ROUNDS 1500

static char dir[64];

static void say(const char *what)
{
	fprintf(stderr, "stress_daemon: %s\n", what);
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return; /* its directory was just renamed */
	if (write(fd, text, strlen(text)) < 0)
		perror(name);
	close(fd);
}

/* Works below the root by relative names. */
static void produce(unsigned seed)
{
	char name[256], other[256];
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned choice = (unsigned)rand_r(&seed);
		unsigned which = (unsigned)rand_r(&seed) % (i + 1);
		snprintf(name, sizeof name, "d%u/HTTP-Fstress%u.text.plain.txt", i % 8, i);
		snprintf(other, sizeof other, "d%u/HTTP-Fstress%u.text.plain.txt", which % 8,
			 which);
		put(name, choice % 5 ? name : "the same");
		switch (choice % 16) {
		case 0:
			put(other, name);
			break;
		case 1:
			if (rename(other, name) < 0)
				continue;
			break;
		case 2:
			if (link(other, "linked.text.plain.txt") == 0)
				unlink("linked.text.plain.txt");
			break;
		case 3:
			unlink(other);
			break;
		case 4:
			snprintf(name, sizeof name, "d%u", choice % 8);
			if (rename(name, "moved") == 0 && rename("moved", name) < 0)
				perror(name);
			break;
		default:
			break;
		}
	}
}

static pid_t start_producer(const char *root)
{
	pid_t daemon = getpid();
	pid_t child = fork();
	if (child != 0)
		return child;
	if (chdir(root) < 0)
		_exit(1);
	produce(4711);
	kill(daemon, SIGUSR2); /* a walk, so that the join begins with everything known */
	kill(daemon, SIGUSR1);
	_exit(0);
}

static bool take_number(void *context, const struct query_row *row)
{
	if (row->values)
		*(long long *)context = (long long)row->values[0].integer;
	return true;
}

static long long ask(const char *history, const char *sql)
{
	long long number = -1;
	struct error err = { 0 };
	if (store_query(history, sql, NULL, 0, take_number, &number, &err) < 0)
		say(err.text);
	return number;
}

static int expect(const char *history, const char *sql, long long wanted)
{
	long long got = ask(history, sql);
	if (got == wanted)
		return 0;
	fprintf(stderr, "stress_daemon: %s: %lld, not %lld\n", sql, got, wanted);
	return 1;
}

static int run(const char *config, bool once)
{
	struct app_options options = { .once = once, .overrides.file = config };
	struct error err = { 0 };
	if (config_load(&options.config, &options.overrides, &err) < 0) {
		say(err.text);
		return 2;
	}
	int code = app_run(&options, &err);
	if (code)
		say(err.text);
	config_unref(options.config);
	return code;
}

int main(void)
{
	char root[96], history[96], config[96], text[512], name[128];
	strcpy(dir, "/tmp/carved-stress-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	log_set_level(LOG_LEVEL_WARNING);
	snprintf(root, sizeof root, "%s/root", dir);
	snprintf(history, sizeof history, "%s/history.db", dir);
	snprintf(config, sizeof config, "%s/carved.yml", dir);
	mkdir(root, 0755);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(name, sizeof name, "%s/d%u", root, i);
		mkdir(name, 0755);
	}
	snprintf(
		text, sizeof text,
		"roots: [ { path: %s } ]\nhistory: %s\nworkers: 4\ndetectors: [ { type: noop } ]\n",
		root, history);
	put(config, text);
	/* the producer may be through before the daemon reads its signals: then they wait */
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pid_t producer = start_producer(root);
	int status = 0;
	int failed = run(config, false);
	if (waitpid(producer, &status, 0) != producer || status != 0)
		failed |= 1;
	failed |= run(config, true); /* what came after the join's cut */
	failed |= expect(history, "SELECT count(*) FROM file WHERE state = 'queued'", 0);
	failed |= expect(
		history,
		"SELECT count(*) FROM (SELECT path, sha256, inode, size, mtime_ns FROM file WHERE "
		"state = 'done' GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1)",
		0);
	failed |= expect(history,
			 "SELECT count(*) FROM file WHERE state = 'unscanned' AND reason NOT IN "
			 "('vanished', 'unmatched')",
			 0);
	failed |= expect(history, "SELECT count(*) FROM gap WHERE closed_ns IS NULL", 0);
	snprintf(text, sizeof text, "find %s -type f | wc -l", root);
	FILE *found = popen(text, "r");
	long long files = 0;
	if (!found || fscanf(found, "%lld", &files) != 1)
		failed |= 1;
	pclose(found);
	long long known =
		ask(history, "SELECT count(DISTINCT path) FROM file WHERE state = 'done'");
	if (known < files) {
		fprintf(stderr, "stress_daemon: %lld files, %lld known\n", files, known);
		failed |= 1;
	}
	if (!failed) {
		snprintf(text, sizeof text, "rm -rf %s", dir);
		failed |= system(text);
		say("all accounted for");
	}
	return failed;
}
