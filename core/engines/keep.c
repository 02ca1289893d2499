/* keep: see keep.h. */
#include "core/engines/keep.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/str.h"

/* Bytes of one record, and so of one file of compiled rules, at most. */
#define RECORD_MAX ((size_t)1 << 30)

int keep_open(struct keep *out, int fd, struct error *err)
{
	*out = (struct keep){ 0 };
	struct stat st;
	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "what was kept: %s", error_text(errno));
	if (st.st_size == 0)
		return 0;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return error_set(err, errno, "what was kept: %s", error_text(errno));
	*out = (struct keep){ .map = map, .size = (size_t)st.st_size };
	return 0;
}

void keep_done(struct keep *keep)
{
	if (keep->map)
		(void)munmap(keep->map, keep->size);
	*keep = (struct keep){ 0 };
}

struct wire keep_begin(const struct keep *keep)
{
	return (struct wire){ .at = keep->map, .left = keep->size };
}

int keep_next(struct wire *at, struct keep_record *out)
{
	if (at->bad || at->left == 0)
		return 0;
	out->kind = (enum keep_kind)wire_number_to(at, KEEP_OLD);
	out->name = wire_bytes(at, RECORD_MAX);
	out->hash = wire_bytes(at, RECORD_MAX);
	out->reads = (unsigned)wire_number_to(at, UINT32_MAX);
	out->bytes = wire_bytes(at, RECORD_MAX);
	return !at->bad;
}

static int write_all(int fd, const char *at, size_t left, struct error *err)
{
	while (left > 0) {
		ssize_t done = write(fd, at, left);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return error_set(err, errno, "keeping what was loaded: %s",
					 error_text(errno));
		at += done;
		left -= (size_t)done;
	}
	return 0;
}

int keep_write(int fd, const struct keep_record *record, struct error *err)
{
	if (fd < 0)
		return 0;
	if (record->bytes.len > RECORD_MAX)
		return error_set(err, EFBIG, "compiled rules are larger than %zu bytes",
				 RECORD_MAX);
	AUTO_STR head = STR_INIT;
	wire_put_number(&head, record->kind);
	wire_put_bytes(&head, record->name.at, record->name.len);
	wire_put_bytes(&head, record->hash.at, record->hash.len);
	wire_put_number(&head, record->reads);
	wire_put_number(&head, record->bytes.len);
	int result = write_all(fd, head.data, head.len, err);
	return result < 0 ? result : write_all(fd, record->bytes.at, record->bytes.len, err);
}
