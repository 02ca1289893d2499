/* disk: see disk.h. */
#include "core/dispose/disk.h"

#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/config/config.h"

/* Shares of amounts that may be near 2^64. */
static unsigned share(uint64_t used, uint64_t free)
{
	long double all = (long double)used + (long double)free;
	if (all <= 0)
		return 0;
	long double percent = 100 * (long double)used / all;
	unsigned whole = (unsigned)percent;
	return whole + (percent > (long double)whole);
}

/* So much is used beyond the percentage. */
static uint64_t beyond(uint64_t used, uint64_t free, unsigned percent)
{
	long double most = ((long double)used + (long double)free) * percent / 100;
	return (long double)used > most ? (uint64_t)((long double)used - most) + 1 : 0;
}

uint64_t disk_takes(int64_t size)
{
	const uint64_t block = 4096;
	return ((uint64_t)size + block - 1) / block * block;
}

bool disk_gains(const struct disk *disk, int64_t size)
{
	return disk->need_files > 0 || size > 0;
}

void disk_judge(struct disk *disk, const struct config_retention *retention,
		const struct disk_room *room)
{
	unsigned by_bytes = share(room->bytes_used, room->bytes_free);
	unsigned by_files = share(room->files_used, room->files_free);
	disk->percent = by_bytes > by_files ? by_bytes : by_files;
	unsigned low = retention->disk_low_percent;
	disk->need_bytes = beyond(room->bytes_used, room->bytes_free, low);
	disk->need_files = beyond(room->files_used, room->files_free, low);
	if (disk->percent >= retention->disk_high_percent)
		disk->over = true;
	else if (disk->need_bytes == 0 && disk->need_files == 0)
		disk->over = false;
	if (!disk->over)
		disk->need_bytes = disk->need_files = 0;
}

/* Some file systems make these numbers up. */
static uint64_t used(uint64_t all, uint64_t free)
{
	return all > free ? all - free : 0;
}

struct disk_room disk_room_of(const struct statfs *st)
{
	/* FUSE counts in the smaller ones */
	const uint64_t block = (uint64_t)(st->f_frsize ? st->f_frsize : st->f_bsize);
	return (struct disk_room){
		.bytes_used = used(st->f_blocks, st->f_bfree) * block,
		.bytes_free = st->f_bavail * block,
		.files_used = used(st->f_files, st->f_ffree),
		.files_free = st->f_ffree,
	};
}

struct disk *disks_of(const struct disks *disks, uint64_t fsid)
{
	for (size_t i = 0; i < disks->count; i++) {
		if (disks->items[i].fsid == fsid)
			return &disks->items[i];
	}
	return NULL;
}

void disks_look(struct disks *disks, const struct config *config)
{
	struct disks now = { .items = xcalloc(config->root_count + 1, sizeof *now.items) };
	for (size_t i = 0; i < config->root_count; i++) {
		struct statfs st;
		uint64_t fsid;
		static_assert(sizeof st.f_fsid == sizeof fsid, "f_fsid has eight bytes");
		if (statfs(config->roots[i].path, &st) < 0) {
			now.missing++;
			continue;
		}
		memcpy(&fsid, &st.f_fsid, sizeof fsid);
		bool read_only = st.f_flags & ST_RDONLY;
		struct disk *same = disks_of(&now, fsid);
		if (same) {
			same->read_only = same->read_only && read_only;
			continue;
		}
		const struct disk *before = disks_of(disks, fsid);
		struct disk *disk = &now.items[now.count++];
		*disk = (struct disk){ .fsid = fsid,
				       .read_only = read_only,
				       .over = before && before->over };
		const struct disk_room room = disk_room_of(&st);
		disk_judge(disk, &config->retention, &room);
	}
	disks_done(disks);
	*disks = now;
}

unsigned disks_percent(const struct disks *disks)
{
	unsigned most = 0;
	for (size_t i = 0; i < disks->count; i++) {
		if (disks->items[i].percent > most)
			most = disks->items[i].percent;
	}
	return most;
}

void disks_done(struct disks *disks)
{
	free(disks->items);
	*disks = (struct disks){ 0 };
}
