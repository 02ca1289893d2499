/* curl_api: see curl_api.h. */
#include "core/detect/curl_api.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "core/base/error.h"

/* The name that its interface has had since 7.16 (2006). */
#define LIBRARY "libcurl.so.4"

struct curl_api curl_api;

static const struct function {
	const char *name;
	size_t offset;
} functions[] = {

#define CURL_API_ROW(name) { "curl_" #name, offsetof(struct curl_api, name) },
	CURL_API_FUNCTIONS(CURL_API_ROW)
};

static struct error failure; /* written once */

static void load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		/* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps the words for each thread */
		(void)error_set(&failure, ENOENT, "%s: install libcurl4", dlerror());
		return;
	}
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function) {
			(void)error_set(&failure, ENOSYS, "%s has no %s: it is too old", LIBRARY,
					functions[i].name);
			return;
		}
		memcpy((char *)&curl_api + functions[i].offset, &function, sizeof function);
	}
	if (curl_api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		(void)error_set(&failure, EIO, "%s cannot be set up", LIBRARY);
}

int curl_api_load(struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, load);
	return failure.code ? error_set(err, failure.code, "%s", failure.text) : 0;
}
