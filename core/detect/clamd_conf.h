/*
 * clamd_conf: what the clamd.conf of a clamd on this machine says that its socket does not tell.
 */
#ifndef CARVED_CORE_DETECT_CLAMD_CONF_H
#define CARVED_CORE_DETECT_CLAMD_CONF_H

struct str;

/* Where Debian has it. */
#define CLAMD_CONF "/etc/clamav/clamd.conf"

/** Appends a line to out when AlertExceedsMax is off in the file at path; nothing when that cannot
 * be read, or is of a clamd with another LocalSocket. Any thread. */
void clamd_conf_doubts(const char *path, const char *socket, struct str *out);

#endif
