/* unread: see unread.h. */
#include "core/app/unread.h"

#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"

void unread_tell(struct app *app, const struct error *err)
{
	unsigned long long others = 0;
	if (!seldom_say(&app->unread, &others))
		return;
	if (others)
		log_error("cannot read the history: %s others=%llu", err->text, others);
	else
		log_error("cannot read the history: %s", err->text);
}
