/* remove: see remove.h. */
#include "core/dispose/remove.h"

#include "core/base/error.h"
#include "core/dispose/quarantine.h"
#include "core/dispose/taking.h"
#include "core/store/version.h"

static enum taking_step go(struct taking *taking)
{
	enum taking_step step = taking_find(taking);
	/* before anything is moved, as each move is told to whoever watches the directory */
	if (step == TAKING_ON && !taking->taken)
		step = taking_look(taking);
	if (step == TAKING_ON)
		step = taking_take(taking);
	if (step == TAKING_ON)
		step = taking_judge(taking);
	return step;
}

static enum taking_step delete_file(struct taking *taking)
{
	enum taking_step step = go(taking);
	if (step == TAKING_ON)
		step = taking_unlink(taking);
	return step == TAKING_ON ? taking_end(taking, REMOVAL_REMOVED, NULL) : step;
}

/* What is in the quarantine already was brought there by an earlier try, whatever stands in its
 * place now. */
static enum taking_step quarantine_file(struct taking *taking)
{
	bool kept = quarantine_has(taking);
	enum taking_step step = go(taking);
	if (step == TAKING_ON)
		step = quarantine_keep(taking);
	if (step == TAKING_ON || (step == TAKING_ENDED && kept))
		return quarantine_end(taking);
	if (step == TAKING_ENDED)
		quarantine_forget(taking);
	return step;
}

bool remove_file(const struct ground *ground, struct removal_task *task, struct error *err)
{
	struct taking taking = {
		.ground = ground, .task = task, .err = err, .site.dir = -1, .fd = -1
	};
	*err = (struct error){ 0 };
	if (!task->version) {
		(void)taking_end(&taking, REMOVAL_LEFT, "the history does not know it any more");
		return true;
	}
	bool keep = task->removal.action == REMOVAL_QUARANTINE;
	enum taking_step step = keep ? quarantine_file(&taking) : delete_file(&taking);
	taking_done(&taking);
	return step == TAKING_ENDED;
}
