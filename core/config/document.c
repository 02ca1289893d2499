/*
 * document: builds the tree of node.h from libyaml's events.
 *
 * Every limit is checked before memory is taken for what exceeds it. Aliases are counted by what
 * they stand for, so that nested ones (the "billion laughs") end at DOCUMENT_NODES_MAX; an alias
 * inside its own anchor is refused, so that the tree has no circle. Merge keys ("<<") of YAML 1.1
 * are honoured, as the PyYAML that reads BroAPT's api.yml honours them.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/str.h"
#include "core/config/node.h"

/* How long a pipe (`-c <(...)`) may take to give the whole document. */
#define PIPE_PATIENCE_MS 5000

struct anchor {
	char *name;
	struct node *node;
};

struct builder {
	struct document *document;
	struct node *open[DOCUMENT_DEPTH_MAX];
	struct node *key[DOCUMENT_DEPTH_MAX]; /* of a map that waits for the value */
	size_t depth;
	struct anchor anchors[DOCUMENT_ANCHORS_MAX];
	size_t anchor_count;
	bool ended; /* the first document is over */
	struct error *err;
};

static struct mark mark_of(yaml_mark_t mark)
{
	return (struct mark){ .line = (unsigned)mark.line + 1,
			      .column = (unsigned)mark.column + 1 };
}

/* Appends to an array that doubles; count is a power of two exactly when the array is full. */
static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return xrealloc(array, count ? count * 2 : 1, size);
}

static int too_many_nodes(const struct builder *b, struct mark at)
{
	return document_error(b->document, at, b->err,
			      "more than %d nodes once every alias is followed: too much",
			      DOCUMENT_NODES_MAX);
}

static struct node *new_node(struct builder *b, enum node_type type, struct mark at)
{
	struct document *document = b->document;
	if (document->node_count >= DOCUMENT_NODES_MAX) {
		(void)too_many_nodes(b, at);
		return NULL;
	}
	struct node *node = xcalloc(1, sizeof *node);
	*node = (struct node){ .type = type, .at = at, .weight = 1, .height = 1 };
	document->nodes = grown(document->nodes, document->node_count, sizeof(void *));
	document->nodes[document->node_count++] = node;
	return node;
}

/* Only the tag that says "a text" changes anything; any other would promise what is not done. */
static int check_tag(const struct builder *b, const yaml_char_t *raw, struct mark at, bool *is_text)
{
	const char *tag = (const char *)raw;
	*is_text = tag && (strcmp(tag, YAML_STR_TAG) == 0 || strcmp(tag, "!") == 0);
	if (!tag || *is_text || strcmp(tag, YAML_SEQ_TAG) == 0 || strcmp(tag, YAML_MAP_TAG) == 0)
		return 0;
	return document_error(b->document, at, b->err,
			      "the tag \"%.80s\" is not known: leave it out", tag);
}

static int remember(struct builder *b, const yaml_char_t *name, struct node *node)
{
	if (!name)
		return 0;
	for (size_t i = 0; i < b->anchor_count; i++) {
		if (strcmp(b->anchors[i].name, (const char *)name) == 0) {
			b->anchors[i].node = node;
			return 0;
		}
	}
	if (b->anchor_count == DOCUMENT_ANCHORS_MAX)
		return document_error(b->document, node->at, b->err, "more than %d anchors",
				      DOCUMENT_ANCHORS_MAX);
	b->anchors[b->anchor_count++] =
		(struct anchor){ .name = xstrdup((const char *)name), .node = node };
	return 0;
}

static bool is_merge_key(const struct node *key)
{
	return key->plain && strcmp(key->text, "<<") == 0;
}

static bool has_key(const struct node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key->text, key) == 0)
			return true;
	}
	return false;
}

static int add_pair(const struct builder *b, struct node *map, struct node_pair pair,
		    struct mark at)
{
	if (map->count == DOCUMENT_PAIRS_MAX)
		return document_error(b->document, at, b->err, "more than %d keys in one mapping",
				      DOCUMENT_PAIRS_MAX);
	map->pairs = grown(map->pairs, map->count, sizeof *map->pairs);
	map->pairs[map->count++] = pair;
	return 0;
}

/* Keys that stand in the map win over merged ones, earlier merged ones over later. */
static int merge_map(const struct builder *b, struct node *into, const struct node *from,
		     struct mark at)
{
	if (from->type != NODE_MAP)
		return document_error(b->document, at, b->err,
				      "\"<<\" expects a mapping or a list of mappings, found %s",
				      node_kind(from));
	for (size_t i = 0; i < from->count; i++) {
		if (has_key(into, from->pairs[i].key->text))
			continue;
		int r = add_pair(b, into, from->pairs[i], at);
		if (r < 0)
			return r;
	}
	return 0;
}

static int merge_value(const struct builder *b, struct node *into, const struct node_pair *merge)
{
	const struct node *value = merge->value;
	if (value->type != NODE_LIST)
		return merge_map(b, into, value, merge->key->at);
	for (size_t i = 0; i < value->count; i++) {
		int r = merge_map(b, into, value->items[i], merge->key->at);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Replaces the "<<" pairs of a finished map by what they bring. */
static int resolve_merges(const struct builder *b, struct node *map)
{
	struct node_pair *written AUTO_FREE = map->pairs;
	size_t count = map->count;
	map->pairs = NULL;
	map->count = 0;
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!is_merge_key(written[i].key))
			r = add_pair(b, map, written[i], written[i].key->at);
	}
	for (size_t i = 0; i < count && r == 0; i++) {
		if (is_merge_key(written[i].key))
			r = merge_value(b, map, &written[i]);
	}
	return r;
}

static int add_to_map(struct builder *b, struct node *map, struct node *node, struct mark at)
{
	struct node **key = &b->key[b->depth - 1];
	if (*key) {
		struct node_pair pair = { .key = TAKE(*key), .value = node };
		return add_pair(b, map, pair, pair.key->at);
	}
	if (node->type != NODE_SCALAR)
		return document_error(b->document, at, b->err,
				      "expected a word as the key, found %s", node_kind(node));
	*key = node;
	return 0;
}

/* Puts a node, or what an alias at the given place stands for, where the events have arrived. */
static int place(struct builder *b, struct node *node, struct mark at)
{
	if (!b->depth) {
		b->document->root = node;
		return 0;
	}
	struct node *parent = b->open[b->depth - 1];
	if (parent->type == NODE_MAP)
		return add_to_map(b, parent, node, at);
	parent->items = grown(parent->items, parent->count, sizeof(void *));
	parent->items[parent->count++] = node;
	return 0;
}

/* Adds a finished child's size to its parent's, which is bounded; what is bounded stays so at the
 * top. */
static int weigh(const struct builder *b, const struct node *child, struct mark at)
{
	if (!b->depth)
		return 0;
	struct node *parent = b->open[b->depth - 1];
	parent->weight += child->weight;
	if (parent->height <= child->height)
		parent->height = child->height + 1;
	return parent->weight > DOCUMENT_NODES_MAX ? too_many_nodes(b, at) : 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	struct mark at = mark_of(event->start_mark);
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	if (memchr(value, '\0', len))
		return document_error(b->document, at, b->err, "a value holds a NUL byte");
	bool is_text;
	int r = check_tag(b, event->data.scalar.tag, at, &is_text);
	struct node *node = r < 0 ? NULL : new_node(b, NODE_SCALAR, at);
	if (!node)
		return -EINVAL;
	node->text = xmemdup(value, len);
	node->weight += len / 64;
	node->plain = !is_text && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	r = remember(b, event->data.scalar.anchor, node);
	if (r == 0)
		r = place(b, node, at);
	return r < 0 ? r : weigh(b, node, at);
}

static int on_start(struct builder *b, const yaml_event_t *event, enum node_type type)
{
	struct mark at = mark_of(event->start_mark);
	const yaml_char_t *tag = event->data.mapping_start.tag;
	const yaml_char_t *anchor = event->data.mapping_start.anchor;
	if (type == NODE_LIST) {
		tag = event->data.sequence_start.tag;
		anchor = event->data.sequence_start.anchor;
	}
	if (b->depth == DOCUMENT_DEPTH_MAX)
		return document_error(b->document, at, b->err, "nested deeper than %d levels",
				      DOCUMENT_DEPTH_MAX);
	bool is_text;
	int r = check_tag(b, tag, at, &is_text);
	struct node *node = r < 0 ? NULL : new_node(b, type, at);
	if (!node)
		return -EINVAL;
	node->open = true;
	r = remember(b, anchor, node);
	if (r == 0)
		r = place(b, node, at);
	b->key[b->depth] = NULL;
	b->open[b->depth++] = node;
	return r;
}

static int on_end(struct builder *b)
{
	struct node *node = b->open[--b->depth];
	node->open = false;
	int r = node->type == NODE_MAP ? resolve_merges(b, node) : 0;
	return r < 0 ? r : weigh(b, node, node->at);
}

static int on_alias(struct builder *b, const yaml_event_t *event)
{
	struct mark at = mark_of(event->start_mark);
	const char *name = (const char *)event->data.alias.anchor;
	struct node *node = NULL;
	for (size_t i = 0; i < b->anchor_count && !node; i++) {
		if (strcmp(b->anchors[i].name, name) == 0)
			node = b->anchors[i].node;
	}
	if (!node)
		return document_error(b->document, at, b->err,
				      "no anchor &%.80s stands before *%.80s", name, name);
	if (node->open)
		return document_error(b->document, at, b->err,
				      "the alias *%.80s stands inside its own anchor", name);
	if (b->depth + node->height > DOCUMENT_DEPTH_MAX + 1)
		return document_error(b->document, at, b->err,
				      "nested deeper than %d levels once every alias is followed",
				      DOCUMENT_DEPTH_MAX);
	int r = place(b, node, at);
	return r < 0 ? r : weigh(b, node, at);
}

static int on_document(struct builder *b, const yaml_event_t *event)
{
	if (b->ended)
		return document_error(b->document, mark_of(event->start_mark), b->err,
				      "a second YAML document begins here; expected one");
	b->ended = true;
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, event);
	case YAML_ALIAS_EVENT:
		return on_alias(b, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, event, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	}
	return 0;
}

/* libyaml's reader tells only a byte offset: count lines and characters up to it. */
static struct mark mark_of_offset(const char *bytes, size_t len, size_t offset)
{
	struct mark at = { .line = 1, .column = 1 };
	for (size_t i = 0; i < len && i < offset; i++) {
		if (bytes[i] == '\n')
			at = (struct mark){ .line = at.line + 1, .column = 1 };
		else if (((unsigned char)bytes[i] & 0xC0) != 0x80)
			at.column++;
	}
	return at;
}

static int parser_error(const struct builder *b, const yaml_parser_t *parser, const char *bytes,
			size_t len)
{
	const char *problem = parser->problem ? parser->problem : "not YAML";
	if (parser->error == YAML_READER_ERROR)
		return document_error(b->document,
				      mark_of_offset(bytes, len, parser->problem_offset), b->err,
				      "%s (byte 0x%02x); expected UTF-8 text", problem,
				      (unsigned)parser->problem_value);
	struct mark at = mark_of(parser->problem_mark);
	if (!parser->context)
		return document_error(b->document, at, b->err, "not YAML: %s", problem);
	if (parser->context_mark.line == parser->problem_mark.line)
		return document_error(b->document, at, b->err, "not YAML: %s, %s", problem,
				      parser->context);
	return document_error(b->document, at, b->err, "not YAML: %s, %s that began in line %zu",
			      problem, parser->context, parser->context_mark.line + 1);
}

static int build(struct builder *b, yaml_parser_t *parser, const char *bytes, size_t len)
{
	for (;;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return parser_error(b, parser, bytes, len);
		bool last = event.type == YAML_STREAM_END_EVENT;
		int r = on_event(b, &event);
		yaml_event_delete(&event);
		if (r < 0 || last)
			return r;
	}
}

int document_parse(struct document **out, const char *file, const char *bytes, size_t len,
		   struct error *err)
{
	AUTO(document) struct document *document = xcalloc(1, sizeof *document);
	document->file = xstrdup(file);
	if (len > DOCUMENT_BYTES_MAX)
		return error_set(err, E2BIG, "%s: larger than %d bytes", file, DOCUMENT_BYTES_MAX);
	struct error ignored;
	struct builder *b AUTO_FREE = xcalloc(1, sizeof *b);
	b->document = document;
	b->err = err ? err : &ignored;
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return error_set(err, ENOMEM, "%s: libyaml has no memory", file);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
	int r = build(b, &parser, bytes, len);
	yaml_parser_delete(&parser);
	for (size_t i = 0; i < b->anchor_count; i++)
		free(b->anchors[i].name);
	if (r == 0)
		*out = TAKE(document);
	return r;
}

static int wait_readable(int fd, struct mono limit)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int ready = poll(&poll_fd, 1, (int)mono_ms_until(limit));
	return ready < 0 ? -errno : ready == 0 ? -ETIMEDOUT : 0;
}

static int read_all(int fd, struct str *text)
{
	char chunk[16384];
	struct mono limit = mono_add_ms(mono_now(), PIPE_PATIENCE_MS);
	for (;;) {
		ssize_t got = read(fd, chunk, sizeof chunk);
		int code = got < 0 ? errno : 0;
		if (code == EAGAIN) /* a pipe: what writes to it may still be starting */
			code = -wait_readable(fd, limit);
		if ((got < 0 && code == 0) || code == EINTR)
			continue;
		if (code)
			return -code;
		str_append(text, chunk, (size_t)got);
		if (got == 0 || text->len > DOCUMENT_BYTES_MAX)
			return 0;
	}
}

int document_load(struct document **out, const char *file, struct error *err)
{
	/* a FIFO that nobody writes to must not hold up the daemon that reloads */
	int fd AUTO_CLOSE = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, errno, "%s: %s", file, error_text(errno));
	AUTO_STR text = STR_INIT;
	int r = read_all(fd, &text);
	if (r == 0 && text.len == 0 && S_ISFIFO(st.st_mode))
		return error_set(err, ENODATA, "%s: a pipe that nobody writes to", file);
	if (r < 0)
		return error_set(err, -r, "%s: %s", file, error_text(-r));
	return document_parse(out, file, str_text(&text), text.len, err);
}
