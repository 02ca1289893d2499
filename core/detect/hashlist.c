/*
 * hashlist: what a list of hashes (hashset.h) says of a file.
 *
 * known: bad   On the list: malicious, the signature is the list's ("hashlist" when the line has
 *              none). Else clean: it looked and found nothing.
 * known: good  On the list: clean, with the list and the name for detail. Else unknown, with
 *              {"known": null}: a list of good files that does not name a file has given no report
 *              of it. "clean" would be a lie when nobody else looks, and no outcome at all would
 *              leave the history without a row that says it was asked. That this unknown does not
 *              outweigh the others' "clean" is the conclusion's affair (core/app/known.h).
 *
 * It asks for hashes alone: the file is not opened for it.
 */
#include <errno.h>

#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/config.h"
#include "core/detect/answer.h"
#include "core/detect/detect.h"
#include "core/detect/hashset.h"

struct hashlist {
	const struct config_detector *row;
	struct hashset *set;
};

static const unsigned needs[HASH_KINDS] = {
	[HASH_SHA256] = DETECT_NEEDS_SHA256,
	[HASH_SHA1] = DETECT_NEEDS_SHA1,
	[HASH_MD5] = DETECT_NEEDS_MD5,
};

static bool has(const struct hashlist *list, unsigned kind)
{
	return hashset_count(list->set, (enum hash_kind)kind) > 0;
}

static void hashlist_close(void *state)
{
	struct hashlist *list = state;
	hashset_free(list->set);
	free(list);
}

/* The list alone decides on what a list of bad files says, so its sum is that of the file, as
 * sha256sum(1) prints it. */
static void finish_digest(const struct config_detector *row, char digest[DIGEST_HEX])
{
	if (row->known == CONFIG_KNOWN_BAD)
		return;
	AUTO(digest) struct digest *hash = digest_new();
	digest_text(hash, "known good");
	digest_text(hash, digest);
	digest_end_hex(hash, digest);
}

static int hashlist_open(void **state, const struct config_detector *row,
			 const struct config *config, char digest[65], struct error *err)
{
	if (!row->file)
		return error_set(err, EINVAL, "detector %s: no file of hashes is named", row->name);
	AUTO_STR index = STR_INIT;
	if (config && config->history)
		str_printf(&index, "%s.%s.hashlist", config->history, row->name);
	struct hashlist *list = xcalloc(1, sizeof *list);
	list->row = row;
	int result = hashset_load(&list->set, row->file, index.data, digest, err);
	for (unsigned kind = 0; kind < HASH_KINDS && result == 0; kind++) {
		if (has(list, kind) && !hash_available((enum hash_kind)kind))
			result = error_set(err, ENOTSUP,
					   "%s: it has %s sums, which this libcrypto does not "
					   "compute (is it kept to FIPS?)",
					   row->file, hash_name((enum hash_kind)kind));
	}
	if (result < 0) {
		hashlist_close(list);
		return result;
	}
	finish_digest(row, digest);
	*state = list;
	return 0;
}

static unsigned hashlist_also_needs(const void *state)
{
	unsigned also = 0;
	for (unsigned kind = 0; kind < HASH_KINDS; kind++)
		also |= has(state, kind) ? needs[kind] : 0;
	return also;
}

static void hashlist_doubts(const void *state, struct str *out)
{
	const struct hashlist *list = state;
	bool good = list->row->known == CONFIG_KNOWN_GOOD;
	bool weak = has(list, HASH_SHA1) || has(list, HASH_MD5);
	if (!weak && !has(list, HASH_SHA256))
		str_printf(out, "the list has no hashes: %s\n",
			   good ? "it knows no file" : "every file is clean to it");
	if (hashset_unkept(list->set))
		str_printf(out,
			   "its index cannot be kept beside the history (%s): it is made anew "
			   "each time\n",
			   error_text(hashset_unkept(list->set)));
	if (good && weak && list->row->skips)
		str_puts(out,
			 "SHA-1 and MD5 sums of good files spare them other detectors, but two "
			 "files can be made with one such sum: use SHA-256 if you can\n");
}

static bool hashlist_seeks_malware(const void *state)
{
	const struct hashlist *list = state;
	return list->row->known == CONFIG_KNOWN_BAD;
}

static void say_bad(struct answer *answer, const char *signature)
{
	answer->outcome = OUTCOME_MALICIOUS;
	answer->signature = xstrdup(*signature ? signature : "hashlist");
}

static void say_good(struct answer *answer, const struct config_detector *row, unsigned kind,
		     const char *name)
{
	AUTO_STR detail = STR_INIT;
	str_puts(&detail, "{\"known\": \"good\", \"list\": ");
	str_json_text(&detail, row->name);
	str_printf(&detail, ", \"hash\": \"%s\", \"name\": ", hash_name((enum hash_kind)kind));
	str_json_text(&detail, *name ? name : NULL);
	str_putc(&detail, '}');
	answer->outcome = OUTCOME_CLEAN;
	answer->detail = str_take(&detail);
}

static void say_nothing(struct answer *answer, const struct config_detector *row)
{
	if (row->known == CONFIG_KNOWN_BAD) {
		answer->outcome = OUTCOME_CLEAN;
		return;
	}
	answer->outcome = OUTCOME_UNKNOWN;
	answer->detail = xstrdup("{\"known\": null}");
}

static void hashlist_scan(const void *state, const struct scan_request *request,
			  struct answer *answer)
{
	const struct hashlist *list = state;
	const uint8_t *const sums[HASH_KINDS] = {
		[HASH_SHA256] = request->sha256,
		[HASH_SHA1] = request->sha1,
		[HASH_MD5] = request->md5,
	};
	char signature[HASHLINE_SIGNATURE_MAX + 1];
	if (!request->sha256) {
		answer_fail(answer, OUTCOME_ERROR,
			    "the content was not hashed (\"hash: never\"), a hash list needs it");
		return;
	}
	for (unsigned kind = 0; kind < HASH_KINDS; kind++) {
		if (!has(list, kind))
			continue;
		int found = sums[kind] ? hashset_find(list->set, (enum hash_kind)kind, sums[kind],
						      signature)
				       : -ENODATA;
		if (found < 0) {
			answer_fail(answer, OUTCOME_ERROR, "its %s cannot be looked up: %s",
				    hash_name((enum hash_kind)kind), error_text(-found));
			return;
		}
		if (found > 0 && list->row->known == CONFIG_KNOWN_BAD)
			say_bad(answer, signature);
		else if (found > 0)
			say_good(answer, list->row, kind, signature);
		if (found > 0)
			return;
	}
	say_nothing(answer, list->row);
}

const struct detector_class hashlist_class = {
	.type = "hashlist",
	.needs = DETECT_NEEDS_SHA256,
	.open = hashlist_open,
	.also_needs = hashlist_also_needs,
	.doubts = hashlist_doubts,
	.seeks_malware = hashlist_seeks_malware,
	.scan = hashlist_scan,
	.close = hashlist_close,
};
