/* answers: see answers.h. A version's answers are numbered from 1 as they come. */
#include "core/store/answers.h"

#include <stdint.h>

#include "core/store/db.h"
#include "core/store/keys.h"
#include "core/store/row.h"
#include "core/store/timing.h"
#include "core/store/version.h"

enum {
	ANSWERS_MAX = 65535, /* of one version: see the view scan */
};

struct answers {
	struct keys *keys;     /* borrowed */
	struct timing *timing; /* borrowed */
	sqlite3_stmt *insert;
	sqlite3_stmt *largest;
};

int answers_new(struct answers **out, const struct db *db, struct keys *keys, struct timing *timing,
		struct error *err)
{
	AUTO(answers) struct answers *answers = xcalloc(1, sizeof *answers);
	answers->keys = keys;
	answers->timing = timing;
	int result = db_prepare(db, &answers->insert, ROW_INSERT_FINDING, err);
	if (result == 0)
		result = db_prepare(db, &answers->largest,
				    "SELECT max(nr) FROM result WHERE version_id = ?1", err);
	if (result < 0)
		return result;
	*out = TAKE(answers);
	return 0;
}

void answers_free(struct answers *answers)
{
	if (!answers)
		return;
	sqlite3_finalize(answers->insert);
	sqlite3_finalize(answers->largest);
	free(answers);
}

static int insert_all(struct answers *answers, const struct version *version, int64_t nr)
{
	for (size_t i = 0; i < version->finding_count; i++) {
		const struct finding *finding = &version->findings[i];
		int64_t detector = 0;
		int rc =
			keys_detector(answers->keys, finding->detector, finding->digest, &detector);
		if (rc != SQLITE_OK)
			return rc;
		if (++nr > ANSWERS_MAX)
			return SQLITE_TOOBIG;
		db_bind(answers->insert, 1, version->id);
		db_bind(answers->insert, 2, nr);
		db_bind(answers->insert, 3, detector);
		row_bind_finding(answers->insert, finding);
		rc = db_run(answers->insert);
		if (rc != SQLITE_OK)
			return rc;
		timing_add(answers->timing, detector, finding);
	}
	return SQLITE_OK;
}

int answers_first(struct answers *answers, const struct version *version)
{
	return insert_all(answers, version, 0);
}

int answers_more(struct answers *answers, const struct version *version)
{
	int64_t nr = 0;
	if (version->finding_count == 0)
		return SQLITE_OK;
	db_bind(answers->largest, 1, version->id);
	if (sqlite3_step(answers->largest) == SQLITE_ROW)
		nr = sqlite3_column_int64(answers->largest, 0);
	int rc = sqlite3_reset(answers->largest);
	return rc == SQLITE_OK ? insert_all(answers, version, nr) : rc;
}
