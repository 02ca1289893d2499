/*
 * curl_api: libcurl, loaded when the first detector that asks a server is opened.
 *
 * It brings some thirty libraries with it, and four megabytes of resident memory: a daemon that
 * asks no server is spared them, and need not have libcurl installed. Never unloaded. Any thread.
 */
#ifndef CARVED_CORE_DETECT_CURL_API_H
#define CARVED_CORE_DETECT_CURL_API_H

#include <curl/curl.h>

struct error;

/* The functions that are used, without their "curl_". */
#define CURL_API_FUNCTIONS(each)                                                              \
	each(global_init) each(free) each(easy_init) each(easy_cleanup) each(easy_setopt)     \
		each(easy_getinfo) each(easy_strerror) each(multi_init) each(multi_setopt)    \
			each(multi_cleanup) each(multi_add_handle) each(multi_remove_handle)  \
				each(multi_perform) each(multi_poll) each(multi_info_read)    \
					each(slist_append) each(slist_free_all) each(url)     \
						each(url_cleanup) each(url_set) each(url_get) \
							each(url_strerror)

/* NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a member */
#define CURL_API_MEMBER(name) __typeof__(curl_##name) *name;

struct curl_api {
	CURL_API_FUNCTIONS(CURL_API_MEMBER)
};

/* All are set once curl_api_load() has succeeded. */
extern struct curl_api curl_api;

/** Loads it and sets it up, the first time; 0, or -errno and words. */
int curl_api_load(struct error *err);

#endif
