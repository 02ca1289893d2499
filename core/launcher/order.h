/*
 * order: what the daemon tells carved-launch, as its words, and what it hears back, on
 * descriptor 5.
 *
 *	carved-launch --parent PID [--file PATH]... [--tree PATH]... [--scratch DIR] [--network]
 *		[--open] [--sample hide|keep] [--memory BYTES] [--file-size BYTES]
 *		--program PATH -- ARGV...
 *
 * Both sides are of one build; words of another are refused, not guessed at. One thread.
 */
#ifndef CARVED_CORE_LAUNCHER_ORDER_H
#define CARVED_CORE_LAUNCHER_ORDER_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* The sample, and the pipe for the report; 0 to 3 are the program's own. */
#define ORDER_SAMPLE_FD 4
#define ORDER_REPORT_FD 5

#define ORDER_PARENT	"parent"
#define ORDER_FILE	"file"
#define ORDER_TREE	"tree"
#define ORDER_SCRATCH	"scratch"
#define ORDER_NETWORK	"network"
#define ORDER_OPEN	"open"
#define ORDER_SAMPLE	"sample"
#define ORDER_MEMORY	"memory"
#define ORDER_FILE_SIZE "file-size"
#define ORDER_PROGRAM	"program"

enum order_sample {
	ORDER_NO_SAMPLE,
	ORDER_HIDE_SAMPLE, /* may be opened by its path; the descriptor is not handed on */
	ORDER_KEEP_SAMPLE, /* handed on, too */
};

/* Texts are borrowed from argv, the lists are owned. */
struct order {
	pid_t parent;	    /* who started us: when it is gone, so are we */
	const char **files; /* to be read and run; what is a directory is passed over */
	size_t file_count;
	const char **trees; /* to be read and run with all below them */
	size_t tree_count;
	const char *scratch; /* NULL: none */
	bool network;
	bool open; /* limits alone: an operator's program, which does what the daemon's user may */
	enum order_sample sample;
	uint64_t memory;     /* bytes of address space of each process, 0: no limit */
	uint64_t file_size;  /* bytes of each file that is written, 0: no limit */
	const char *program; /* absolute or relative path, not searched for */
	char *const *argv;   /* of the program, NULL-terminated */
};

/** Reads the words. 0, or -EINVAL and words; order_done() in any case. */
int order_parse(struct order *order, int argc, char **argv, struct error *err);
void order_done(struct order *order);

enum launch_end {
	LAUNCH_EXITED = 1, /* value is the program's exit status */
	LAUNCH_SIGNALED,   /* value is the signal */
	LAUNCH_FAILED,	   /* it was not run: value is an errno, words say why */
	LAUNCH_BEGUN,	   /* not its end yet: value is its process group */
	LAUNCH_STOPPED,	   /* SIGTERM ended it */
};

/* One report, written at once: shorter than PIPE_BUF. LAUNCH_BEGUN is the first of all; of the
 * others the first that comes counts. */
struct launch_report {
	uint32_t size; /* of this struct */
	uint32_t end;
	int32_t value;
	char words[500]; /* NUL-terminated */
};

/** Writes a report to fd; there is nobody to tell when that fails. words may be NULL. */
void launch_report_write(int fd, enum launch_end end, int value, const char *words);
/** Reads one; fd may be non-blocking. False: none came, or none of ours. */
bool launch_report_read(int fd, struct launch_report *out);

#endif
