/* real_type: see real_type.h. Who tells types is routed by what is declared: it would else depend
 * on its own answer. */
#include "core/app/real_type.h"

#include <stdlib.h>

#include "core/detect/detect.h"
#include "core/detect/real_mime.h"
#include "core/store/version.h"

void real_type_note(struct version *version, const struct detector *detector, const char *detail)
{
	char *mime = detector_class(detector)->types ? real_mime_of(detail) : NULL;
	if (!mime)
		return;
	free(version->real_mime);
	version->real_mime = mime;
}

bool real_type_wanted(const struct detector *detector, const struct version *version)
{
	const bool types = detector_class(detector)->types;
	return detector_wants(detector, &version->entry, types ? NULL : version->real_mime);
}
