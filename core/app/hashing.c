/* hashing: see hashing.h. */
#include "core/app/hashing.h"

#include <errno.h>
#include <string.h>

#include "core/app/engine.h"
#include "core/app/job.h"
#include "core/detect/detect.h"
#include "core/detect/hasher.h"

static unsigned kinds_of(unsigned needs)
{
	unsigned kinds = HASH_BIT(HASH_SHA256);
	if (needs & DETECT_NEEDS_SHA1)
		kinds |= HASH_BIT(HASH_SHA1);
	if (needs & DETECT_NEEDS_MD5)
		kinds |= HASH_BIT(HASH_MD5);
	return kinds;
}

unsigned hashing_wanted(const struct engine *engine, const struct job *job)
{
	unsigned needs = 0;
	for (size_t i = 0; i < engine->detector_count; i++) {
		/* what the file really is is not known yet; hashing_provide() makes up for it */
		if (detector_wants(engine->detectors[i], &job->version->entry, NULL))
			needs |= detector_needs(engine->detectors[i]);
	}
	return kinds_of(needs);
}

void hashing_keep(struct job *job, const struct hashes *hashes)
{
	struct version *version = job->version;
	memcpy(version->sha256, hashes->sum[HASH_SHA256], sizeof version->sha256);
	version->has_sha256 = true;
	job->hashed = true;
	free(TAKE(job->hashes));
	if (hashes->have == HASH_BIT(HASH_SHA256))
		return;
	job->hashes = xcalloc(1, sizeof *job->hashes);
	*job->hashes = *hashes;
}

/* The job's further hashes, if they are of the content that it is about now. */
static const struct hashes *further(const struct job *job)
{
	const struct version *version = job->version;
	if (!job->hashes || !version->has_sha256 ||
	    memcmp(job->hashes->sum[HASH_SHA256], version->sha256, sizeof version->sha256) != 0)
		return NULL;
	return job->hashes;
}

int hashing_provide(struct hasher *hasher, struct job *job, unsigned needs, int fd)
{
	const struct version *version = job->version;
	if (!version->has_sha256)
		return 0; /* hashing is off */
	const struct hashes *known = further(job);
	unsigned kinds = kinds_of(needs);
	unsigned have = known ? known->have : HASH_BIT(HASH_SHA256);
	if (!(kinds & ~have))
		return 0;
	struct hashes hashes = { .have = kinds | have };
	int result = hasher_fd(hasher, fd, version->identity.size, &hashes, NULL);
	if (result == -EFBIG)
		return -ESTALE; /* it grew */
	if (result < 0)
		return result;
	if (memcmp(hashes.sum[HASH_SHA256], version->sha256, sizeof version->sha256) != 0)
		return -ESTALE;
	hashing_keep(job, &hashes);
	return 0;
}

void hashing_fill(const struct job *job, struct scan_request *request)
{
	const struct hashes *known = further(job);
	request->sha256 = job->version->has_sha256 ? job->version->sha256 : NULL;
	request->sha1 = known && known->have & HASH_BIT(HASH_SHA1) ? known->sum[HASH_SHA1] : NULL;
	request->md5 = known && known->have & HASH_BIT(HASH_MD5) ? known->sum[HASH_MD5] : NULL;
}
