/*
 * credentials: what files say to whom one may speak and as whom: "ca" and "token_file".
 *
 * Both are read when a detector is opened, so a reload reads them anew and a daemon that gives up
 * privileges needs them no more. The token is refused when others could read or change its file,
 * and wiped when it is released; words of errors never hold it. One thread.
 */
#ifndef CARVED_CORE_DETECT_CREDENTIALS_H
#define CARVED_CORE_DETECT_CREDENTIALS_H

#include <stddef.h>

#include "core/base/str.h"

struct error;

#define CREDENTIALS_CA_MAX    ((size_t)1024 * 1024)
#define CREDENTIALS_TOKEN_MAX 4096

struct credentials {
	struct str ca; /* the file as it is; empty: none is named */
	char *token;   /* printable ASCII without blanks; NULL: none is named */
};

/** Fills out, which is zeroed, from the two files, each of which may be NULL; credentials_done()
 * releases it in any case. */
int credentials_load(struct credentials *out, const char *ca, const char *token_file,
		     struct error *err);
void credentials_done(struct credentials *credentials);

static inline void credentials_cleanup(struct credentials *credentials)
{
	credentials_done(credentials);
}

#endif
