/* remove: see remove.h. */
#include "core/dispose/remove.h"

#include "core/base/error.h"
#include "core/dispose/taking.h"
#include "core/store/version.h"

static enum taking_step go(struct taking *taking)
{
	enum taking_step step = taking_find(taking);
	/* before anything is moved, as each move is told to whoever watches the directory */
	if (step == TAKING_ON && !taking->taken)
		step = taking_judge(taking, true);
	if (step == TAKING_ON)
		step = taking_take(taking);
	if (step == TAKING_ON)
		step = taking_judge(taking, false);
	if (step == TAKING_ON)
		step = taking_unlink(taking);
	return step == TAKING_ON ? taking_end(taking, REMOVAL_REMOVED, NULL) : step;
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
	enum taking_step step = go(&taking);
	taking_done(&taking);
	return step == TAKING_ENDED;
}
