/* figures: see figures.h. */
#include "core/cli/figures.h"

#include "core/base/outcome.h"
#include "core/store/query.h"

static const char days_sql[] =
	"SELECT day, sum(files), sum(iif(verdict IN ('malicious', 'suspicious'), files, 0))"
	" FROM tally WHERE day >= ?1 GROUP BY day HAVING sum(files) > 0 ORDER BY day";
static const char verdicts_sql[] =
	"SELECT verdict, sum(files) FROM tally WHERE day >= ?1 AND state = 'done' GROUP BY verdict"
	" HAVING sum(files) > 0";
static const char unscanned_sql[] =
	"SELECT reason, sum(files) FROM tally WHERE day >= ?1 AND state = 'unscanned' GROUP BY reason"
	" HAVING sum(files) > 0 ORDER BY sum(files) DESC, reason";
/* ?1 is not asked for: what waits does so whenever it came */
static const char queued_sql[] =
	"SELECT iif(away_since_ns > 0, 'detector', coalesce(wait, 'worker')) AS what, count(*)"
	" FROM version WHERE state = 'queued' AND ?1 IS NOT NULL GROUP BY what ORDER BY count(*) DESC,"
	" what";
static const char rescans_sql[] =
	"SELECT count(*) FROM rescan_queue WHERE state = 'waiting' AND ?1 IS NOT NULL";
static const char detectors_sql[] =
	"SELECT d.name, sum(scans), sum(cached), sum(iif(outcome IN ('error', 'timeout'), scans, 0)),"
	" coalesce(sum(spent_ns) / 1e6 / nullif(sum(scans - cached), 0), 0.0) AS mean_ms,"
	" max(longest_ns) / 1e6"
	" FROM timing t JOIN detector d ON d.id = t.detector_id WHERE day >= ?1 GROUP BY d.name"
	" HAVING sum(scans) > 0 ORDER BY mean_ms DESC, d.name";

static char *text_of(const struct query_value *value)
{
	return xmemdup(value->bytes, value->len);
}

static bool add_day(void *context, const struct query_row *row)
{
	struct figures *figures = context;
	if (!row->values)
		return true;
	figures->days = xrealloc(figures->days, figures->day_count + 1, sizeof *figures->days);
	figures->days[figures->day_count++] = (struct figures_day){
		.day = row->values[0].integer,
		.files = row->values[1].integer,
		.alarms = row->values[2].integer,
	};
	return true;
}

static bool add_kind(void *context, const struct query_row *row)
{
	struct figures_kinds *kinds = context;
	if (!row->values)
		return true;
	kinds->at = xrealloc(kinds->at, kinds->count + 1, sizeof *kinds->at);
	kinds->at[kinds->count++] = (struct figures_kind){ .name = text_of(&row->values[0]),
							   .count = row->values[1].integer };
	return true;
}

static bool take_rescans(void *context, const struct query_row *row)
{
	struct figures *figures = context;
	if (row->values)
		figures->rescans = row->values[0].integer;
	return true;
}

static bool add_detector(void *context, const struct query_row *row)
{
	struct figures *figures = context;
	const struct query_value *values = row->values;
	if (!values)
		return true;
	figures->detectors = xrealloc(figures->detectors, figures->detector_count + 1,
				      sizeof *figures->detectors);
	figures->detectors[figures->detector_count++] = (struct figures_detector){
		.name = text_of(&values[0]),
		.answers = values[1].integer,
		.cached = values[2].integer,
		.failures = values[3].integer,
		.mean_ms = query_number(&values[4]),
		.max_ms = query_number(&values[5]),
	};
	return true;
}

static int by_badness(const void *a, const void *b)
{
	enum outcome one = outcome_by_name(((const struct figures_kind *)a)->name);
	enum outcome other = outcome_by_name(((const struct figures_kind *)b)->name);
	return (int)one - (int)other;
}

static int read_all(struct figures *figures, const char *history, int64_t since_day,
		    struct error *err)
{
	const struct {
		const char *sql;
		bool (*row)(void *context, const struct query_row *row);
		void *context;
	} reads[] = {
		{ days_sql, add_day, figures },
		{ verdicts_sql, add_kind, &figures->verdicts },
		{ unscanned_sql, add_kind, &figures->unscanned },
		{ queued_sql, add_kind, &figures->queued },
		{ rescans_sql, take_rescans, figures },
		{ detectors_sql, add_detector, figures },
	};
	const struct query_parameter since = { .integer = since_day };
	int result = 0;
	for (size_t i = 0; i < sizeof reads / sizeof *reads && result == 0; i++)
		result = store_query(history, reads[i].sql, &since, 1, reads[i].row,
				     reads[i].context, err);
	if (figures->verdicts.count)
		qsort(figures->verdicts.at, figures->verdicts.count, sizeof *figures->verdicts.at,
		      by_badness);
	return result;
}

int figures_read(struct figures **out, const char *history, int64_t since_day, struct error *err)
{
	AUTO(figures) struct figures *figures = xcalloc(1, sizeof *figures);
	int result = read_all(figures, history, since_day, err);
	if (result == 0)
		*out = TAKE(figures);
	return result;
}

static void free_kinds(const struct figures_kinds *kinds)
{
	for (size_t i = 0; i < kinds->count; i++)
		free(kinds->at[i].name);
	free(kinds->at);
}

void figures_free(struct figures *figures)
{
	if (!figures)
		return;
	free_kinds(&figures->verdicts);
	free_kinds(&figures->unscanned);
	free_kinds(&figures->queued);
	for (size_t i = 0; i < figures->detector_count; i++)
		free(figures->detectors[i].name);
	free(figures->detectors);
	free(figures->days);
	free(figures);
}
