/*
 * disk: how full the file systems of the roots are, and how much must go.
 *
 * A root is full by its room or by its inodes, whichever is worse, as df(1) counts: what only the
 * superuser may use counts as used. From disk_high on it is over, until it is at disk_low. One
 * thread.
 */
#ifndef CARVED_CORE_DISPOSE_DISK_H
#define CARVED_CORE_DISPOSE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct config_retention;
struct statfs;

/* What statfs(2) says, as far as it matters. */
struct disk_room {
	uint64_t bytes_used, bytes_free; /* free for us */
	uint64_t files_used, files_free; /* both 0: it does not count them */
};

struct disk {
	uint64_t fsid;	  /* as in struct identity */
	unsigned percent; /* used, rounded up */
	bool read_only;	  /* nothing can be removed from any root on it */
	bool over;
	/* over: so much must go for it to be at disk_low */
	uint64_t need_bytes, need_files;
};

struct disks {
	struct disk *items; /* owned */
	size_t count;
	size_t missing; /* roots that could not be looked at */
};

/** Pure. */
struct disk_room disk_room_of(const struct statfs *st);
/** What removing a file of that size gives back, at least nearly. Pure. */
uint64_t disk_takes(int64_t size);
/** Whether the disk gains what it needs by the removal of a file of that size: one without bytes
 * gives back its inode alone, and its removal costs room in a history that is on the disk. Pure. */
bool disk_gains(const struct disk *disk, int64_t size);
/** Brings the disk up to date by its room. Pure. */
void disk_judge(struct disk *disk, const struct config_retention *retention,
		const struct disk_room *room);

/** Looks at all roots that are there; what was over stays so until it is low. A root that cannot be
 * looked at is left out until it can. */
void disks_look(struct disks *disks, const struct config *config);
/** The disk of that file system, NULL: it is no root's. */
struct disk *disks_of(const struct disks *disks, uint64_t fsid);
/** The fullest one's; 0: there is none. */
unsigned disks_percent(const struct disks *disks);
void disks_done(struct disks *disks);

#endif
