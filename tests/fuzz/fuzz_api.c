/* BroAPT's api.yml: loaded, or refused with words; every type finds an entry. */
#include "core/base/error.h"
#include "core/config/api.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api *api = NULL;
	struct error err = { 0 };
	int result = api_load(&api, input_file(data, size, NULL), &err);
	must((result == 0) == (api != NULL));
	if (result < 0) {
		must(has_words(err.text));
		return 0;
	}
	must(api_find(api, "application/pdf") && api_find(api, "") && api_find(api, "x/y"));
	for (size_t i = 0; i < api->entry_count; i++) {
		const struct api_entry *entry = &api->entries[i];
		must(entry->pattern && entry->workdir && entry->shared);
		must(entry->remote || entry->report.shell || entry->report.argv);
	}
	api_free(api);
	return 0;
}
