/* seldom: see seldom.h. */
#include "core/base/seldom.h"

void seldom_init(struct seldom *seldom)
{
	lock_init(&seldom->lock);
	seldom->told.ns = 0;
	seldom->untold = 0;
}

void seldom_done(struct seldom *seldom)
{
	lock_done(&seldom->lock);
}

bool seldom_say(struct seldom *seldom, unsigned long long *others)
{
	lock_take(&seldom->lock);
	bool say = !seldom->told.ns || mono_passed(mono_add_ms(seldom->told, SELDOM_MS));
	if (say) {
		*others = seldom->untold;
		seldom->told = mono_now();
	}
	seldom->untold = say ? 0 : seldom->untold + 1;
	lock_drop(&seldom->lock);
	return say;
}
