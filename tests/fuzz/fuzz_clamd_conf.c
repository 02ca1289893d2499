/* clamd.conf, which is somebody else's file. */
#include "core/base/str.h"
#include "core/detect/clamd_conf.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STR doubts = STR_INIT;
	clamd_conf_doubts(input_file(data, size, NULL), "/run/clamav/clamd.ctl", &doubts);
	must(doubts.len == 0 || strstr(doubts.data, "AlertExceedsMax"));
	return 0;
}
