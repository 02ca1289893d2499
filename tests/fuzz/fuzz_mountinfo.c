/* Lines of /proc/self/mountinfo, in which others name what they mount. */
#include "tests/fuzz/fuzz.h"
#include "watcher/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	struct input top = input_until(&in, '\0');
	char *path = input_text(top.at, top.left);
	char *line = input_text(in.at, in.left);
	const char *end = line + in.left;
	struct mountinfo info;
	if (mountinfo_parse(line, &info)) {
		must(info.root >= line && info.root <= end && info.point >= line &&
		     info.point <= end && info.type >= line && info.type <= end);
		const char *rest = mountinfo_below(info.point, path);
		must(!rest || *rest == '\0' || *rest == '/');
		must(!rest || *rest == '\0' ||
		     (rest >= info.point && rest <= info.point + strlen(info.point)));
	}
	free(line);
	free(path);
	return 0;
}
