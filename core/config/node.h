/*
 * node: a YAML document as a small tree that remembers where everything stands.
 *
 * libyaml's own document loader is not used: it is quadratic in the depth of flow collections
 * (200,000 brackets take a minute), refuses an anchor that is used twice, and knows no limits. The
 * tree is built from libyaml's events under the limits below; an alias points at the node of its
 * anchor, so that a node may have several parents. The document owns all nodes. Not thread-safe
 * while it is being built, immutable afterwards.
 */
#ifndef CARVED_CORE_CONFIG_NODE_H
#define CARVED_CORE_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/mem.h"

struct error;

#define DOCUMENT_BYTES_MAX   1048576
#define DOCUMENT_DEPTH_MAX   32
#define DOCUMENT_ANCHORS_MAX 256
#define DOCUMENT_PAIRS_MAX   1024 /* keys of one mapping */
/* Nodes after every alias is followed; a scalar counts one more for each 64 bytes. */
#define DOCUMENT_NODES_MAX 100000

/* Both count from 1; columns are characters. */
struct mark {
	unsigned line;
	unsigned column;
};

enum node_type {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAP,
};

struct node_pair {
	struct node *key; /* always a scalar */
	struct node *value;
};

struct node {
	enum node_type type;
	struct mark at;
	bool plain; /* a scalar written without quotes, so that "null" and "true" are not texts */
	char *text; /* scalars: NUL-terminated, without NUL inside */
	struct node **items;	 /* lists */
	struct node_pair *pairs; /* maps, in the order of the file; merged ("<<") pairs come last */
	size_t count;
	/* for the builder */
	size_t weight;
	unsigned height;
	bool open;
};

struct document {
	char *file;
	struct node *root; /* NULL: the file says nothing */
	struct node **nodes;
	size_t node_count;
};

/** Reads and parses file. -EINVAL, or the error of reading it; err names file, line and column. */
int document_load(struct document **out, const char *file, struct error *err);
/** Parses len bytes; file is the name for messages. */
int document_parse(struct document **out, const char *file, const char *bytes, size_t len,
		   struct error *err);
void document_free(struct document *document);
AUTO_DEFINE(document);

/** Fills err with "FILE:LINE:COLUMN: words"; returns -EINVAL. */
int document_error(const struct document *document, struct mark at, struct error *err,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
/** Puts "FILE:LINE:COLUMN: " in front of err's text; returns -EINVAL. */
int document_locate(const struct document *document, struct mark at, struct error *err);

/** Nothing was written: an empty value, "~" or "null". */
bool node_is_null(const struct node *node);
/** "a list", "a mapping", "nothing" or "a value", for messages. */
const char *node_kind(const struct node *node);
/** The value of a plain boolean (true, yes, on, false, no, off); false when it is none. */
bool node_boolean(const struct node *node, bool *out);

#endif
