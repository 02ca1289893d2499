/*
 * origin: the .json beside a file in the quarantine: where it came from, whose it was, what is
 * known of it. Written, and synced, before the file is where it is named for.
 *
 * It is for people, and for the day on which the history is lost. What is read back stands first,
 * in a fixed order: the owner, the mode and the times that the file is restored with.
 */
#ifndef CARVED_CORE_DISPOSE_ORIGIN_H
#define CARVED_CORE_DISPOSE_ORIGIN_H

#include <sys/types.h>

#include <stdint.h>

#include "core/dispose/vault.h"

struct error;
struct removal;
struct statx;
struct str;
struct version;

struct origin {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* the permission bits */
	int64_t mtime_ns, atime_ns;
};

#define ORIGIN_NAME (VAULT_NAME + 8)

/** The name of the .json of what is kept under that name, into ORIGIN_NAME bytes. */
void origin_name(char *out, const char *kept);
struct origin origin_of(const struct statx *st);
/** Appends what stands in the file. Pure. */
void origin_put(struct str *out, const struct origin *origin, const struct removal *removal,
		const struct version *version);
/** Writes it for what will be kept under that name, unless it is there already: an earlier try knew
 * better whose the file was. 0 or -errno. */
int origin_write(const struct vault *vault, const char *kept, const struct origin *origin,
		 const struct removal *removal, const struct version *version);
/** Removes it, and what a try of that removal had begun of it. */
void origin_forget(const struct vault *vault, const char *kept, const struct removal *removal);
/** Reads it back. 0, or -errno with err. */
int origin_read(const struct vault *vault, const char *kept, struct origin *out, struct error *err);

#endif
