/* The whole watcher against a file system in memory: what happens, and when, is the input. */
#include "tests/fuzz/fuzz.h"
#include "tests/sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sim_run(data, size) != 0) {
		(void)fprintf(stderr, "%s\n", sim_words());
		abort();
	}
	return 0;
}
