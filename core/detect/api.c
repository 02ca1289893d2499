/*
 * api: BroAPT's api.yml: the commands of the entry that matches the file's MIME type.
 *
 * "scripts" run in order, then "report" (api_prepare.h has how); the first that does not exit with
 * 0 ends it with an error, and the worker tries again later. Exit status 0 means that a command
 * ran, not that the file is clean: without a report on descriptor 3, of any of the commands, the
 * outcome is unknown. "remote: true" leaves all of it to a server (api_remote.h). "install" is
 * never run here. "shared" groups and locks installations only; scans of one group run beside each
 * other.
 *
 * An answer depends on MIME type (it chooses the entry) and extension; see command.c for the name.
 * The digest covers the file's entries as they were loaded, with their variables expanded; programs
 * and scripts that the commands call are not known to it: after changing one of them, reload with
 * another value somewhere in "environ", or prune.
 */
#include "core/config/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/mem.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/api_log.h"
#include "core/detect/api_prepare.h"
#include "core/detect/api_remote.h"
#include "core/detect/cage.h"
#include "core/detect/child.h"
#include "core/detect/detect.h"
#include "core/detect/digest.h"
#include "core/detect/report.h"
#include "core/detect/scratch_dir.h"

struct api_state {
	const struct config *config; /* borrowed, as detector_open() says */
	const struct api *api;
	const struct config_detector *row;
	struct api_remote *remote; /* NULL: no entry is remote */
};

/* One scan. */
struct visit {
	struct api_site site;
	const struct config_detector *row;
	const struct scan_request *request;
	struct answer *answer;
	struct report report; /* of all commands so far */
	struct str log_id;
	struct error log_error; /* the first log that could not be written */
};

static int digest_command(struct digest *hash, const struct api_site *site,
			  const struct api_command *command, struct error *err)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	int result = api_prepare(site, command, &plan, NULL, err);
	if (result < 0)
		return result;
	digest_number(hash, (int64_t)plan.argc);
	for (size_t i = 0; i < plan.argc; i++)
		digest_text(hash, plan.argv[i]);
	digest_number(hash, (int64_t)plan.envc);
	for (size_t i = 0; i < plan.envc; i++)
		digest_text(hash, plan.envp[i]);
	digest_text(hash, plan.cwd);
	return 0;
}

static int digest_entry(struct digest *hash, const struct api_site *site,
			const struct api_remote *remote, struct error *err)
{
	const struct api_entry *entry = site->entry;
	digest_text(hash, entry->pattern);
	digest_number(hash, entry->remote);
	if (entry->remote) {
		api_remote_digest(remote, hash, entry);
		return 0;
	}
	digest_number(hash, (int64_t)entry->script_count);
	for (size_t i = 0; i < entry->script_count; i++) {
		int result = digest_command(hash, site, &entry->scripts[i], err);
		if (result < 0)
			return result;
	}
	return digest_command(hash, site, &entry->report, err);
}

static int api_class_open(void **state, const struct config_detector *row,
			  const struct config *config, char digest[65], struct error *err)
{
	if (!row->api)
		return error_set(err, EINVAL, "detector %s (line %u): no api.yml is named",
				 row->name, row->line);
	AUTO(api_remote) struct api_remote *remote = NULL;
	int opened = api_remote_new(&remote, row, err);
	if (opened < 0)
		return opened;
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "api");
	digest_text(hash, row->name);
	digest_number(hash, row->timeout_ms);
	cage_digest(hash, row->read, row->network);
	for (size_t i = 0; i < row->api->entry_count; i++) {
		/* no file: what stands for it must tell path, type and nothing apart */
		const struct api_site site = { .config = config,
					       .api = row->api,
					       .entry = &row->api->entries[i],
					       .path = "$BROAPT_PATH",
					       .mime = "$BROAPT_MIME" };
		int result = digest_entry(hash, &site, remote, err);
		if (result < 0)
			return result;
	}
	digest_end_hex(hash, digest);
	struct api_state *kept = xcalloc(1, sizeof *kept);
	*kept = (struct api_state){
		.config = config, .api = row->api, .row = row, .remote = TAKE(remote)
	};
	*state = kept;
	return 0;
}

static void write_log(struct visit *visit, const char *step, const struct child_result *result)
{
	const struct api_site *site = &visit->site;
	const struct api_log log = {
		.root = site->config->api_logs,
		.mime = api_entry_is_default(site->entry) ? "" : site->mime,
		.id = str_text(&visit->log_id),
		.step = step,
		.attempt = visit->request->attempt,
	};
	struct error err;
	if (api_log_write(&log, &result->output, &err) < 0 && visit->log_error.code == 0)
		visit->log_error = err;
}

/* Turns the end of a command into the answer; last: there are no more commands. True when it is
 * one. */
static bool judge(struct visit *visit, const char *step, const struct child_result *result,
		  bool last)
{
	const struct answer_rule rule = {
		.zero = OUTCOME_UNKNOWN,
		.one = OUTCOME_ERROR,
		.step = step,
		.log = visit->log_error.code ? visit->log_error.text : NULL,
	};
	bool well = result->end == CHILD_EXITED && result->status == 0 && !visit->report.error[0];
	if (well && !last)
		return false;
	answer_from_child(visit->answer, result, &visit->report, &rule);
	return true;
}

/* What every command of the file may reach. */
static void make_cage(struct cage *cage, const struct visit *visit)
{
	const struct config *config = visit->site.config;
	cage_tree(cage, config->api_root);
	for (char *const *path = visit->row->read; path && *path; path++)
		cage_tree(cage, *path);
	cage->place = scratch_dir_place(config->history);
	cage->network = visit->row->network;
}

/* Runs one command; true when the visit is over. */
static bool run_step(struct visit *visit, const struct api_command *command, const char *step,
		     bool last)
{
	__attribute__((cleanup(spawn_plan_cleanup))) struct spawn_plan plan = { 0 };
	__attribute__((cleanup(cage_cleanup))) struct cage cage = { 0 };
	__attribute__((cleanup(child_result_cleanup))) struct child_result result = { 0 };
	const struct child_job job = {
		.plan = &plan,
		.cage = &cage,
		.sample_fd = visit->request->fd,
		.cancel_fd = visit->request->cancel_fd,
		.deadline = visit->request->deadline,
		.output_limit = API_LOG_MAX,
		.report_limit = REPORT_MAX,
	};
	struct error err = { 0 };
	make_cage(&cage, visit);
	int ran = api_prepare(&visit->site, command, &plan, &cage, &err);
	if (ran == 0)
		ran = child_run(&job, &result, &err);
	if (ran < 0) {
		error_prefix(&err, "%s", step);
		answer_not_run(visit->answer, -ran, err.text);
		return true;
	}
	if (result.end != CHILD_CANCELLED)
		write_log(visit, step, &result);
	report_read(&visit->report, str_text(&result.report.kept), result.report.kept.len,
		    result.report.dropped > 0);
	return judge(visit, step, &result, last);
}

static void run_steps(struct visit *visit)
{
	const struct api_entry *entry = visit->site.entry;
	for (size_t i = 0; i < entry->script_count; i++) {
		char step[32];
		(void)snprintf(step, sizeof step, "scripts.%zu", i + 1);
		if (run_step(visit, &entry->scripts[i], step, false))
			return;
	}
	(void)run_step(visit, &entry->report, "report.1", true);
}

static void api_class_scan(const void *state, const struct scan_request *request,
			   struct answer *answer)
{
	const struct api_state *self = state;
	const struct api_entry *entry = api_find(self->api, request->entry->mime);
	if (entry->remote) {
		api_remote_scan(self->remote, entry, request, answer);
		return;
	}
	struct visit visit = {
		.site = { .config = self->config,
			  .api = self->api,
			  .entry = entry,
			  .path = request->path,
			  .mime = request->entry->mime },
		.row = self->row,
		.request = request,
		.answer = answer,
		.report = REPORT_INIT,
	};
	api_log_id(&visit.log_id, request);
	run_steps(&visit);
	report_done(&visit.report);
	str_done(&visit.log_id);
}

static bool api_class_in_vain(const void *state, const struct entry *entry, struct error *why)
{
	const struct api_state *self = state;
	return self->remote && api_find(self->api, entry->mime)->remote &&
	       api_remote_away(self->remote, why);
}

static void api_class_doubts(const void *state, struct str *out)
{
	const struct api_state *self = state;
	if (self->remote)
		api_remote_doubts(self->remote, out);
}

static int api_class_probe(const void *state, struct error *err)
{
	const struct api_state *self = state;
	return self->remote ? api_remote_probe(self->remote, err) : 0;
}

static void api_class_close(void *state)
{
	struct api_state *self = state;
	api_remote_free(self->remote);
	free(self);
}

const struct detector_class api_class = {
	.type = "api",
	.needs = DETECT_NEEDS_FD | DETECT_NEEDS_PATH,
	.reads = DETECT_READS_MIME | DETECT_READS_EXTENSION,
	.open = api_class_open,
	.in_vain = api_class_in_vain,
	.probe = api_class_probe,
	.doubts = api_class_doubts,
	.scan = api_class_scan,
	.close = api_class_close,
};
