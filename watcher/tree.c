/* tree: see tree.h. */
#include "watcher/tree.h"

#include <sys/random.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_LEAST ((size_t)64)

static uint64_t rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-1-3 (Aumasson, Bernstein 2012) of the parent's address and the name. */
static size_t hash(const struct tree *tree, const struct node *parent, const char *name, size_t len)
{
	uint64_t v[4] = {
		tree->key[0] ^ UINT64_C(0x736f6d6570736575),
		tree->key[1] ^ UINT64_C(0x646f72616e646f6d),
		tree->key[0] ^ UINT64_C(0x6c7967656e657261),
		tree->key[1] ^ UINT64_C(0x7465646279746573),
	};
	sip_word(v, (uint64_t)(uintptr_t)parent);
	size_t at = 0;
	for (; at + 8 <= len; at += 8) {
		uint64_t word;
		memcpy(&word, name + at, 8);
		sip_word(v, word);
	}
	uint64_t last = (uint64_t)len << 56;
	memcpy(&last, name + at, len - at); /* little or big end: only this process compares */
	sip_word(v, last ^ ((uint64_t)len << 48));
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return (size_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

void tree_init(struct tree *tree)
{
	*tree = (struct tree){ .version = 1 };
	/* no entropy yet (early boot): addresses still differ from run to run */
	if (getrandom(tree->key, sizeof tree->key, GRND_NONBLOCK) != (ssize_t)sizeof tree->key)
		tree->key[0] = (uint64_t)(uintptr_t)tree ^ (uint64_t)own_now_ns();
}

void tree_done(struct tree *tree)
{
	assert(tree->count == 0);
	free(tree->buckets);
	wdmap_done(&tree->wds);
	*tree = (struct tree){ 0 };
}

static struct node **bucket_of(const struct tree *tree, const struct node *node)
{
	size_t at = hash(tree, node->parent, node->name, node->name_len);
	return &tree->buckets[at & (tree->bucket_count - 1)];
}

static void resize(struct tree *tree, size_t count)
{
	struct node **old = tree->buckets;
	size_t old_count = tree->bucket_count;
	tree->bucket_count = count;
	tree->buckets = own_calloc(tree->bucket_count, sizeof(struct node *));
	for (size_t i = 0; i < old_count; i++) {
		for (struct node *node = old[i], *after; node; node = after) {
			after = node->bucket;
			struct node **bucket = bucket_of(tree, node);
			node->bucket = *bucket;
			*bucket = node;
		}
	}
	free(old);
}

/* Puts a node that has parent and name among its siblings and into the hash table. */
static void attach(struct tree *tree, struct node *node)
{
	struct node *parent = node->parent;
	node->previous = NULL;
	node->next = parent->child;
	if (node->next)
		node->next->previous = node;
	parent->child = node;
	if (tree->bucket_count == 0)
		resize(tree, BUCKETS_LEAST);
	else if (tree->hashed >= tree->bucket_count)
		resize(tree, tree->bucket_count * 2);
	struct node **bucket = bucket_of(tree, node);
	node->bucket = *bucket;
	*bucket = node;
	tree->hashed++;
}

static void out_of_siblings(struct node *node)
{
	if (node->previous)
		node->previous->next = node->next;
	else if (node->parent)
		node->parent->child = node->next;
	if (node->next)
		node->next->previous = node->previous;
	node->next = NULL;
	node->previous = NULL;
}

static struct node *make(struct tree *tree)
{
	struct node *node = own_calloc(1, sizeof *node);
	link_init(&node->link);
	tree->count++;
	return node;
}

struct node *tree_add_top(struct tree *tree, uint32_t root)
{
	struct node *node = make(tree);
	node->root = root;
	return node;
}

static void set_name(struct node *node, const char *name, size_t len)
{
	assert(len > 0 && len <= UINT16_MAX);
	char *copy = own_copy(name, len);
	free(node->name);
	node->name = copy;
	node->name_len = (uint16_t)len;
}

struct node *tree_add(struct tree *tree, struct node *parent, const char *name, size_t len)
{
	struct node *node = make(tree);
	node->parent = parent;
	set_name(node, name, len);
	attach(tree, node);
	return node;
}

struct node *tree_child(const struct tree *tree, const struct node *parent, const char *name,
			size_t len)
{
	if (tree->bucket_count == 0)
		return NULL;
	struct node *node = tree->buckets[hash(tree, parent, name, len) & (tree->bucket_count - 1)];
	while (node && !(node->parent == parent && node->name_len == len &&
			 memcmp(node->name, name, len) == 0))
		node = node->bucket;
	return node;
}

void tree_detach(struct tree *tree, struct node *node)
{
	tree->version++;
	if (node->flags & NODE_DETACHED)
		return;
	if (node->parent) {
		struct node **at = bucket_of(tree, node);
		while (*at != node)
			at = &(*at)->bucket;
		*at = node->bucket;
		tree->hashed--;
		if (tree->bucket_count > BUCKETS_LEAST && tree->hashed * 8 < tree->bucket_count)
			resize(tree, tree->bucket_count / 2);
	}
	node->flags |= NODE_DETACHED;
}

void tree_move(struct tree *tree, struct node *node, struct node *parent, const char *name,
	       size_t len)
{
	assert(!tree_is_above(node, parent));
	tree_detach(tree, node);
	out_of_siblings(node);
	node->parent = parent;
	set_name(node, name, len);
	node->flags &= (uint8_t) ~(NODE_DETACHED | NODE_DEAD);
	attach(tree, node);
}

void tree_free(struct tree *tree, struct node *node)
{
	assert(!node->child && link_alone(&node->link));
	tree_set_wd(tree, node, 0);
	tree_detach(tree, node);
	out_of_siblings(node);
	tree->count--;
	free(node->name);
	free(node);
}

void tree_set_wd(struct tree *tree, struct node *node, int wd)
{
	if (node->wd == wd)
		return;
	if (node->wd > 0) {
		const struct wd_entry *entry = wdmap_find(&tree->wds, node->wd);
		if (entry && entry->node == node)
			wdmap_set_node(&tree->wds, node->wd, NULL);
	}
	node->wd = wd;
	node->flags &= (uint8_t)~NODE_SCANNED;
	if (wd <= 0)
		return;
	const struct wd_entry *entry = wdmap_find(&tree->wds, wd);
	if (entry && entry->node)
		entry->node->wd = 0;
	wdmap_set_node(&tree->wds, wd, node);
}

const struct node *tree_top(const struct node *node)
{
	while (node->parent)
		node = node->parent;
	return node;
}

bool tree_is_above(const struct node *node, const struct node *other)
{
	while (other && other != node)
		other = other->parent;
	return other == node;
}

bool tree_attached(const struct node *node)
{
	while (node && !(node->flags & NODE_DETACHED))
		node = node->parent;
	return !node;
}

void tree_append_path(const struct node *node, struct bytes *out)
{
	size_t len = out->len;
	for (const struct node *at = node; at->parent; at = at->parent)
		len += (size_t)at->name_len + 1;
	bytes_resize(out, len);
	char *end = out->data + len;
	for (const struct node *at = node; at->parent; at = at->parent) {
		end -= at->name_len;
		memcpy(end, at->name, at->name_len);
		*--end = '/';
	}
}

struct node *tree_next(const struct node *node, const struct node *top)
{
	if (node->child)
		return node->child;
	while (node != top && !node->next)
		node = node->parent;
	return node == top ? NULL : node->next;
}
