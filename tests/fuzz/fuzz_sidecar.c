/* What sensors write beside files, and which paths they are about. */
#include "core/entry/sidecar.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { (const char *)data, size };
	struct input name = input_until(&in, '\0');
	char *path = input_exact(name.at, name.left);
	size_t subject = sidecar_subject(path, name.left);
	must(subject <= name.left);
	char *text = input_exact(in.at, in.left);
	const char *why = sidecar_shortened(text, in.left);
	must(!why || has_words(why));
	must(why == sidecar_shortened(text, in.left));
	free(text);
	free(path);
	return 0;
}
