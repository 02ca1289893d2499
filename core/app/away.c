/* away: see away.h. */
#include "core/app/away.h"

#include "core/app/engine.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/detect.h"

void away_tell(struct engine *engine, size_t at)
{
	const struct detector *detector = engine->detectors[at];
	struct error why = { 0 };
	int64_t since_ns = 0;
	bool away = detector_away(detector, &why, &since_ns);
	if (atomic_exchange(&engine->told_away[at], away) == away)
		return;
	if (!away)
		log_notice("detector %s is back", detector_name(detector));
	else
		log_warning("detector %s is away, %s: %s", detector_name(detector),
			    detector_row(detector)->required ? "files wait for it"
							     : "files do without it",
			    why.text);
}

void away_tell_all(struct engine *engine)
{
	for (size_t i = 0; i < engine->detector_count; i++)
		away_tell(engine, i);
}

void away_json(const struct engine *engine, struct str *out)
{
	bool any = false;
	str_putc(out, '[');
	for (size_t i = 0; i < engine->detector_count; i++) {
		struct error why = { 0 };
		int64_t since_ns = 0;
		if (!detector_away(engine->detectors[i], &why, &since_ns))
			continue;
		str_puts(out, any ? ",{\"name\":" : "{\"name\":");
		str_json_text(out, detector_name(engine->detectors[i]));
		str_printf(out, ",\"since_ns\":%lld,\"why\":", (long long)since_ns);
		str_json_text(out, why.text);
		str_putc(out, '}');
		any = true;
	}
	str_putc(out, ']');
}
