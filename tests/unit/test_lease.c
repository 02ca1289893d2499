#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/app/lease.h"

/* Seam: another file system type. */
static long fake_magic;

int fstatfs(int fd, struct statfs *out)
{
	int done = (int)syscall(SYS_fstatfs, fd, out);
	if (done == 0 && fake_magic)
		out->f_type = fake_magic;
	return done;
}

struct sample {
	char path[64];
	int writer;
	int reader;
};

static void make(struct sample *s)
{
	signal(SIGIO, SIG_IGN);
	strcpy(s->path, "/tmp/carved-lease-XXXXXX");
	s->writer = mkstemp(s->path);
	cr_assert(s->writer >= 0);
	s->reader = open(s->path, O_RDONLY | O_CLOEXEC);
	cr_assert(s->reader >= 0);
}

static void drop(struct sample *s)
{
	close(s->reader);
	unlink(s->path);
}

Test(lease, an_open_writer_is_found_and_its_close_too)
{
	struct sample s;
	make(&s);
	cr_assert_eq(lease_probe(s.reader), LEASE_WRITER);
	close(s.writer);
	cr_assert_eq(lease_probe(s.reader), LEASE_FREE);
	cr_assert_eq(lease_probe(s.reader), LEASE_FREE); /* nothing is held */
	drop(&s);
}

Test(lease, a_writable_mapping_counts_as_a_writer)
{
	struct sample s;
	make(&s);
	cr_assert_eq(ftruncate(s.writer, 4096), 0);
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, s.writer, 0);
	cr_assert_neq(map, MAP_FAILED);
	close(s.writer);
	cr_assert_eq(lease_probe(s.reader), LEASE_WRITER);
	munmap(map, 4096);
	cr_assert_eq(lease_probe(s.reader), LEASE_FREE);
	drop(&s);
}

Test(lease, what_has_no_leases_says_so)
{
	int pipes[2];
	cr_assert_eq(pipe(pipes), 0);
	cr_assert_eq(lease_probe(pipes[0]), LEASE_UNKNOWN);
	close(pipes[0]);
	close(pipes[1]);
}

Test(lease, where_others_write_unseen_a_lease_says_nothing)
{
	struct sample s;
	make(&s);
	fake_magic = 0x6969; /* NFS */
	cr_assert_eq(lease_probe(s.reader), LEASE_UNKNOWN);
	close(s.writer);
	cr_assert_eq(lease_probe(s.reader), LEASE_UNKNOWN);
	fake_magic = 0;
	cr_assert_eq(lease_probe(s.reader), LEASE_FREE);
	drop(&s);
}

static void write_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		close(fd);
}

Test(lease, who_comes_while_one_is_held_is_noticed)
{
	struct sample s;
	make(&s);
	cr_assert(!lease_hold(s.reader), "there is a writer");
	close(s.writer);
	cr_assert(lease_hold(s.reader));
	cr_assert(lease_drop(s.reader));
	cr_assert(lease_hold(s.reader));
	write_to(s.path); /* it does not wait */
	cr_assert(!lease_drop(s.reader));
	cr_assert(lease_probe(s.reader) == LEASE_FREE, "nothing is held");
	fake_magic = 0x6969; /* NFS */
	cr_assert(!lease_hold(s.reader));
	drop(&s);
}
