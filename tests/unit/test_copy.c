/* copy: all of it, from the beginning. */
#include "core/dispose/copy.h"
#include "dispose_fixture.h"

Test(copy, copies_all_from_the_beginning)
{
	struct yard y;
	struct stat st;
	yard_init(&y);
	int from = open(yard_path(&y, "a"), O_CREAT | O_RDWR, 0600);
	int to = open(yard_path(&y, "b"), O_CREAT | O_RDWR, 0600);
	cr_assert(ftruncate(from, 600000) == 0 && pwrite(from, "end", 3, 599997) == 3);
	cr_assert(lseek(from, 1000, SEEK_SET) == 1000);
	cr_expect(copy_bytes(from, to) == 0);
	cr_expect(fstat(to, &st) == 0 && st.st_size == 600000);
	char end[4] = "";
	cr_expect(pread(to, end, 3, 599997) == 3 && strcmp(end, "end") == 0);
	cr_expect(copy_bytes(to, open("/dev/full", O_WRONLY)) == -ENOSPC);
	cr_expect(copy_bytes(-1, to) == -EBADF);
	yard_done(&y);
}
