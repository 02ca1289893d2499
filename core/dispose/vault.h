/*
 * vault: the quarantine directory: where files are kept that were taken away, and where each one
 * passes through on its way to its removal.
 *
 * Nobody else may look into it (mode 0700, ours): what was renamed into it can be neither exchanged
 * nor opened by its name any more. Names in it are made of our numbers and hashes alone, and of the
 * time of the intent, as another history may have a removal of that number, and lie beside ours:
 *
 *	ID-TIME.taken		taken from its place, and not looked at yet
 *	ID-TIME.copy		a copy that is being made
 *	ID-TIME.json		what is known of it, half written
 *	ID-TIME-SHA256		in the quarantine
 *	ID-TIME-SHA256.json	what is known of it
 *
 * Any thread; the descriptor is used, never changed.
 */
#ifndef CARVED_CORE_DISPOSE_VAULT_H
#define CARVED_CORE_DISPOSE_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/mem.h"

struct error;
struct removal;
struct version;

struct vault {
	char *path; /* owned */
	int fd;	    /* O_DIRECTORY, for names in it and for fsync(2) */
};

/* Room for any name in it. */
#define VAULT_NAME 112

/** Opens it, or makes it; its parent must be there. -EPERM, with what to mend, when it is not ours
 * or others may look into it. */
int vault_open(struct vault **out, const char *path, struct error *err);
/** Opens one that is there, for a command: root may look into everybody's. */
int vault_visit(struct vault **out, const char *path, struct error *err);
/** Opens what lies in it to be read, whatever its mode, which it keeps. The descriptor, or -errno
 * with err: -EBADMSG when it is not what carved puts there, but no file, or one with another name.
 */
int vault_read(const struct vault *vault, const char *name, struct error *err);
/** Is it of the user that we run as? */
bool vault_is_ours(const struct vault *vault);
void vault_free(struct vault *vault);
AUTO_DEFINE(vault);

/* Names, into VAULT_NAME bytes. */
void vault_taken(char *out, const struct removal *removal);
void vault_copy(char *out, const struct removal *removal);
void vault_json(char *out, const struct removal *removal);
void vault_kept(char *out, const struct removal *removal, const struct version *version);

#endif
