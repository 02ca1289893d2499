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

/* What is in the quarantine was brought there whole, by an earlier try perhaps, whatever stands in
 * its place now. */
static enum taking_step quarantine_file(struct taking *taking)
{
	enum taking_step step = go(taking);
	if (step == TAKING_ON)
		step = quarantine_keep(taking);
	if (step == TAKING_ON || (step == TAKING_ENDED && quarantine_has(taking)))
		return quarantine_end(taking);
	if (step == TAKING_ENDED)
		quarantine_forget(taking);
	return step;
}

/* What was taken goes back. */
static enum taking_step leave_file(struct taking *taking)
{
	enum taking_step step = taking_find(taking);
	if (step == TAKING_ON) {
		(void)taking_end(taking, REMOVAL_LEFT,
				 "by its verdict, or the rules, of now it is not removed");
		step = taking_put_back(taking, TAKING_ENDED);
	}
	if (step == TAKING_ENDED)
		quarantine_forget(taking);
	return step;
}

/* Between what is intended and what is done there may be hours, a rescan, and other rules. Only the
 * gentler word counts then, as the other is not on the disk; what is in the quarantine already, is.
 */
static enum taking_step go_by_rules(struct taking *taking)
{
	const struct ground *ground = taking->ground;
	struct removal *removal = &taking->task->removal;
	enum config_disposal wanted = CONFIG_DELETE;
	if (ground->wanted && removal->cause == CAUSE_RULE)
		wanted = ground->wanted(ground->config, taking->task->version);
	if (wanted == CONFIG_QUARANTINE || quarantine_has(taking))
		removal->action = REMOVAL_QUARANTINE;
	else if (wanted == CONFIG_KEEP)
		return leave_file(taking);
	return removal->action == REMOVAL_QUARANTINE ? quarantine_file(taking)
						     : delete_file(taking);
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
	enum taking_step step = go_by_rules(&taking);
	taking_done(&taking);
	return step == TAKING_ENDED;
}
