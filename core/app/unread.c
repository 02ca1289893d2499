/* unread: see unread.h. */
#include "core/app/unread.h"

#include "core/app/state.h"
#include "core/base/error.h"
#include "core/base/log.h"

#define UNREAD_TOLD_MS 10000

void unread_init(struct unread *unread)
{
	lock_init(&unread->lock);
	unread->told.ns = 0;
	unread->untold = 0;
}

void unread_done(struct unread *unread)
{
	lock_done(&unread->lock);
}

void unread_tell(struct app *app, const struct error *err)
{
	struct unread *unread = &app->unread;
	lock_take(&unread->lock);
	bool quiet = unread->told.ns && !mono_passed(mono_add_ms(unread->told, UNREAD_TOLD_MS));
	unsigned long long others = unread->untold;
	unread->untold = quiet ? others + 1 : 0;
	if (!quiet)
		unread->told = mono_now();
	lock_drop(&unread->lock);
	if (quiet)
		return;
	if (others)
		log_error("cannot read the history: %s others=%llu", err->text, others);
	else
		log_error("cannot read the history: %s", err->text);
}
