/* carved.yml: loaded, or refused with words that name the file and where in it. */
#include "core/base/error.h"
#include "core/config/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const roots[] = { "/nonexistent" };
	struct config_overrides overrides = { 0 };
	struct config *config = NULL;
	struct error err = { 0 };
	overrides.file = input_file(data, size, NULL);
	overrides.history = "/tmp/fuzz-history.db";
	if (size % 2) {
		overrides.roots = roots;
		overrides.root_count = 1;
	}
	int result = config_load(&config, &overrides, &err);
	must((result == 0) == (config != NULL));
	if (result < 0)
		must(has_words(err.text));
	if (config) {
		must(config->workers >= 1 && config->workers <= 256 && config->max_file_size >= 0);
		for (size_t i = 0; i < config->detector_count; i++)
			must(config->detectors[i].type && config->detectors[i].name);
	}
	config_unref(config);
	return 0;
}
