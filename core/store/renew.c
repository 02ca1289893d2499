/*
 * renew: see renew.h.
 *
 * A rescan adds answers and never takes one away: the version stays done whatever happens, its
 * verdict is the one that the worker concluded from the newest definite answers. What was asked
 * again meanwhile (asked_ns) stays in the queue: that question may be about still newer rules.
 *
 * When a digest has changed, the versions that it may concern are looked through in the order of
 * first_seen_ns, so many to an operation that the writer is never long away from new files.
 */
#include "core/store/renew.h"

#include <string.h>

#include "core/store/answers.h"
#include "core/store/db.h"
#include "core/store/rescan.h"
#include "core/store/row.h"
#include "core/store/store.h"
#include "core/store/tally.h"

enum {
	LOOK_THROUGH = 2000, /* versions an operation */
};

enum statement {
	KIND,
	UPDATE,
	ANSWERED,
	WAIT,
	END,
	RULE,
	RULES_OTHER,
	RULE_DELETE,
	RULE_ASKED,
	RULE_DONE,
	LOOK,
	ASK,
	STATEMENTS,
};

static const char *const sql[STATEMENTS] = {
	[KIND] =
		"SELECT first_seen_ns, mime, verdict FROM version WHERE id = ?1 AND state = 'done'",
	[UPDATE] = "UPDATE version SET verdict = ?2, attempt = ?3, finished_ns = ?4,"
		   " checked_ns = max(checked_ns, ?5), sha256 = coalesce(sha256, ?6)"
		   " WHERE id = ?1 AND state = 'done'",
	[ANSWERED] = "DELETE FROM rescan_queue WHERE version_id = ?1 AND asked_ns <= ?2",
	[WAIT] = "UPDATE rescan_queue SET due_ns = ?3, tries = ?4, away_since_ns = ?5"
		 " WHERE version_id = ?1 AND asked_ns <= ?2 AND state = 'waiting'",
	[END] = "UPDATE rescan_queue SET state = ?3, tries = ?4, ended_ns = ?5, note = ?6"
		" WHERE version_id = ?1 AND asked_ns <= ?2 AND state = 'waiting'",
	[RULE] = "INSERT INTO rules (detector, digest, since_ns, asked) VALUES (?1, ?2, ?3, ?2)"
		 " ON CONFLICT DO UPDATE SET digest = excluded.digest, since_ns = excluded.since_ns"
		 " WHERE digest <> excluded.digest",
	[RULES_OTHER] = "SELECT detector FROM rules WHERE detector > ?1 ORDER BY detector LIMIT 1",
	[RULE_DELETE] = "DELETE FROM rules WHERE detector = ?1",
	[RULE_ASKED] = "SELECT asked = ?2 FROM rules WHERE detector = ?1",
	[RULE_DONE] = "UPDATE rules SET asked = ?2 WHERE detector = ?1",
	[LOOK] = "SELECT first_seen_ns, id FROM version WHERE (first_seen_ns, id) > (?1, ?2)"
		 " ORDER BY first_seen_ns, id LIMIT ?3",
	[ASK] = RESCAN_ASK
	" AND (SELECT iif(" RESCAN_SPARED
	", NULL, d.digest) FROM result r JOIN detector d ON d.id = r.detector_id"
	" WHERE r.version_id = v.id AND d.name = ?2 AND r.outcome <> 'error'"
	" AND r.outcome <> 'timeout' ORDER BY r.nr DESC LIMIT 1) <> ?4" RESCAN_AGAIN,
};

struct renew {
	sqlite3 *handle;
	sqlite3_stmt *statements[STATEMENTS];
	struct answers *answers; /* borrowed */
	struct tally *tally;	 /* borrowed */
};

int renew_new(struct renew **out, const struct db *db, struct answers *answers, struct tally *tally,
	      struct error *err)
{
	AUTO(renew) struct renew *renew = xcalloc(1, sizeof *renew);
	renew->handle = db->handle;
	renew->answers = answers;
	renew->tally = tally;
	int result = db_prepare_all(db, renew->statements, sql, STATEMENTS, err);
	if (result < 0)
		return result;
	*out = TAKE(renew);
	return 0;
}

void renew_free(struct renew *renew)
{
	if (!renew)
		return;
	db_finalize_all(renew->statements, STATEMENTS);
	free(renew);
}

/* ---- what became of a version that was looked at again ---- */

/* The verdict that the row has, counted as one less, and as the new verdict one more. */
static int recount(struct renew *renew, const struct store_op *op, bool *found)
{
	sqlite3_stmt *kind = renew->statements[KIND];
	db_bind(kind, 1, op->version->id);
	*found = sqlite3_step(kind) == SQLITE_ROW;
	if (*found && op->version->finding_count > 0) {
		const char *was = (const char *)sqlite3_column_text(kind, 2);
		struct tally_kind counted = {
			.first_seen_ns = sqlite3_column_int64(kind, 0),
			.mime = (const char *)sqlite3_column_text(kind, 1),
			.state = "done",
			.verdict = was,
		};
		op->rescan->was = was ? outcome_by_name(was) : OUTCOMES;
		tally_add(renew->tally, &counted, -1);
		counted.verdict = outcome_name(op->version->verdict);
		tally_add(renew->tally, &counted, 1);
	}
	return sqlite3_reset(kind);
}

static int write_answers(struct renew *renew, const struct version *version)
{
	sqlite3_stmt *update = renew->statements[UPDATE];
	struct row_scratch scratch;
	db_bind(update, 1, version->id);
	db_bind_text(update, 2, outcome_name(version->verdict));
	db_bind(update, 3, version->attempt);
	db_bind(update, 4, version->finished_ns);
	db_bind(update, 5, version->checked_ns);
	row_bind_sha256(update, 6, version, &scratch);
	int rc = db_run(update);
	return rc == SQLITE_OK ? answers_more(renew->answers, version) : rc;
}

/* Its place in the queue. */
static int leave_queue(struct renew *renew, const struct version *version,
		       const struct store_rescan *rescan)
{
	enum statement which = rescan->end == RESCAN_ANSWERED  ? ANSWERED
			       : rescan->end == RESCAN_WAITING ? WAIT
							       : END;
	sqlite3_stmt *leave = renew->statements[which];
	db_bind(leave, 1, version->id);
	db_bind(leave, 2, rescan->asked_ns);
	if (which != ANSWERED)
		db_bind(leave, 4, rescan->tries);
	if (which == WAIT) {
		db_bind(leave, 3, rescan->due_ns);
		db_bind(leave, 5, rescan->away_since_ns);
	}
	if (which == END) {
		db_bind_text(leave, 3, rescan_end_name(rescan->end));
		db_bind(leave, 5, version->checked_ns);
		db_bind_text(leave, 6, rescan->note);
	}
	return db_run(leave);
}

int renew_version(struct renew *renew, struct store_op *op)
{
	bool found = false;
	op->rescan->was = op->version->verdict;
	int rc = recount(renew, op, &found);
	if (rc != SQLITE_OK)
		return rc;
	if (!found) {
		op->result = STORE_KNOWN;
		return SQLITE_OK;
	}
	if (op->version->finding_count > 0)
		rc = write_answers(renew, op->version);
	return rc == SQLITE_OK ? leave_queue(renew, op->version, op->rescan) : rc;
}

/* ---- the digests in force ---- */

static bool is_configured(const struct store_rules *rules, const char *detector)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->rules[i].detector, detector) == 0)
			return true;
	}
	return false;
}

/* The first detector after *name, which it becomes; NULL: there is none. */
static int next_noted(struct renew *renew, char **name)
{
	sqlite3_stmt *other = renew->statements[RULES_OTHER];
	db_bind_text(other, 1, *name ? *name : "");
	char *found = NULL;
	if (sqlite3_step(other) == SQLITE_ROW)
		found = xstrdup((const char *)sqlite3_column_text(other, 0));
	int rc = sqlite3_reset(other);
	free(*name);
	*name = found;
	return rc;
}

/* Detectors that are configured no more have no rules in force. */
static int forget_others(struct renew *renew, const struct store_rules *rules)
{
	AUTO_FREE char *name = NULL;
	int rc = next_noted(renew, &name);
	while (rc == SQLITE_OK && name) {
		if (!is_configured(rules, name)) {
			db_bind_text(renew->statements[RULE_DELETE], 1, name);
			rc = db_run(renew->statements[RULE_DELETE]);
		}
		if (rc == SQLITE_OK)
			rc = next_noted(renew, &name);
	}
	return rc;
}

static int note_rules(struct renew *renew, const struct store_rules *rules)
{
	sqlite3_stmt *note = renew->statements[RULE];
	int rc = forget_others(renew, rules);
	for (size_t i = 0; i < rules->count && rc == SQLITE_OK; i++) {
		if (!*rules->rules[i].digest)
			continue;
		db_bind_text(note, 1, rules->rules[i].detector);
		db_bind_text(note, 2, rules->rules[i].digest);
		db_bind(note, 3, rules->now_ns);
		rc = db_run(note);
	}
	return rc;
}

static int is_asked(struct renew *renew, const struct store_rule *rule, bool *out)
{
	sqlite3_stmt *asked = renew->statements[RULE_ASKED];
	db_bind_text(asked, 1, rule->detector);
	db_bind_text(asked, 2, rule->digest);
	*out = sqlite3_step(asked) != SQLITE_ROW || sqlite3_column_int(asked, 0) != 0;
	return sqlite3_reset(asked);
}

static int ask_for(struct renew *renew, struct store_rules *rules, int64_t id)
{
	const struct store_rule *rule = &rules->rules[rules->from.rule];
	sqlite3_stmt *ask = renew->statements[ASK];
	db_bind(ask, 1, id);
	db_bind_text(ask, 2, rule->detector);
	db_bind(ask, 3, rules->now_ns);
	db_bind_text(ask, 4, rule->digest);
	int rc = db_run(ask);
	if (rc == SQLITE_OK)
		rules->asked += sqlite3_changes(renew->handle);
	return rc;
}

/* Some more versions for the rule that it is at; *all: there were no more. */
static int look_through(struct renew *renew, struct store_rules *rules, bool *all)
{
	sqlite3_stmt *look = renew->statements[LOOK];
	const struct store_rules_at *from = &rules->from;
	db_bind(look, 1, from->id ? from->seen_ns : rules->since_ns);
	db_bind(look, 2, from->id);
	db_bind(look, 3, LOOK_THROUGH);
	int rc = SQLITE_OK;
	int seen = 0;
	while (rc == SQLITE_OK && sqlite3_step(look) == SQLITE_ROW) {
		rules->next.seen_ns = sqlite3_column_int64(look, 0);
		rules->next.id = sqlite3_column_int64(look, 1);
		rc = ask_for(renew, rules, rules->next.id);
		seen++;
	}
	*all = seen < LOOK_THROUGH;
	int end = sqlite3_reset(look);
	return rc == SQLITE_OK ? end : rc;
}

static int ask_for_some(struct renew *renew, struct store_rules *rules)
{
	const struct store_rule *rule = &rules->rules[rules->from.rule];
	bool all = !*rule->digest;
	int rc = all ? SQLITE_OK : is_asked(renew, rule, &all);
	if (rc == SQLITE_OK && !all)
		rc = look_through(renew, rules, &all);
	if (rc != SQLITE_OK || !all)
		return rc;
	rules->next = (struct store_rules_at){ .rule = rules->from.rule + 1 };
	if (!*rule->digest)
		return SQLITE_OK;
	db_bind_text(renew->statements[RULE_DONE], 1, rule->detector);
	db_bind_text(renew->statements[RULE_DONE], 2, rule->digest);
	return db_run(renew->statements[RULE_DONE]);
}

int renew_rules(struct renew *renew, struct store_rules *rules)
{
	rules->next = rules->from;
	rules->asked = 0;
	rules->more = false;
	int rc = SQLITE_OK;
	if (rules->from.rule == 0 && rules->from.id == 0)
		rc = note_rules(renew, rules);
	if (rc == SQLITE_OK && rules->ask && rules->from.rule < rules->count)
		rc = ask_for_some(renew, rules);
	rules->more = rules->ask && rules->next.rule < rules->count;
	return rc;
}
