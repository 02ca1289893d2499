/*
 * carved-detect: the program that carved runs as its helper for hostile bytes; not for people.
 *
 *	carved-detect TYPE NAME		TYPE: yara, magic; NAME: the detector's, for ps(1)
 *
 * The channel to the daemon is descriptor 3 (core/helper/protocol.h says what goes over it).
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <stdio.h>
#include <unistd.h>

#include "core/engines/serve.h"

#define CHANNEL_FD 3

int main(int argc, char **argv)
{
	struct stat st;
	if (argc != 3 || fstat(CHANNEL_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		(void)fprintf(stderr, "carved-detect is started by carved, not by hand\n");
		return 2;
	}
	/* no atexit(3): a confined process cannot do what a leak sanitizer does there */
	_exit(serve(argv[1], CHANNEL_FD));
}
