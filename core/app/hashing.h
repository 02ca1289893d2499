/*
 * hashing: which hashes of a file are in use, and that they are there when a detector needs them.
 *
 * The SHA-256 is the version's and goes to the history. SHA-1 and MD5 are computed only when a
 * detector that will be asked compares them, in the same read, and live as long as the job: they
 * are kept beside the SHA-256 of the content that they are of, and count for no other. On a worker.
 */
#ifndef CARVED_CORE_APP_HASHING_H
#define CARVED_CORE_APP_HASHING_H

#include <stdint.h>

struct engine;
struct hasher;
struct hashes;
struct job;
struct scan_request;

/** The hashes that are to be computed when the job's file is read: SHA-256, and what the detectors
 * need that want it. Bits of enum hash_kind. */
unsigned hashing_wanted(const struct engine *engine, const struct job *job);
/** The job's content was hashed: these (SHA-256 among them) are its hashes. */
void hashing_keep(struct job *job, const struct hashes *hashes);
/** Sees to it that the job has the hashes that needs (enum detect_needs) names, when it has a
 * SHA-256 at all. One that was taken from the history comes without the others: then fd is read
 * now. 0 or the -errno of reading; -ESTALE: the content is not the one that the SHA-256 is of. */
int hashing_provide(struct hasher *hasher, struct job *job, unsigned needs, int fd);
/** Puts the hashes that there are into the request, which borrows them from the job. */
void hashing_fill(const struct job *job, struct scan_request *request);

#endif
