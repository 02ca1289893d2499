/* tree: paths by walking up, children by name, moves, detached nodes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "watcher/tree.h"

static const char *path_of(const struct node *node)
{
	static struct bytes path;
	bytes_resize(&path, 0);
	tree_append_path(node, &path);
	return path.data;
}

static void free_all(struct tree *tree, struct node *top)
{
	while (top->child) {
		struct node *node = top;
		while (node->child)
			node = node->child;
		tree_free(tree, node);
	}
	tree_free(tree, top);
}

Test(tree, path_follows_every_move_above)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 0);
	struct node *a = tree_add(&tree, top, "a", 1);
	struct node *b = tree_add(&tree, a, "b", 1);
	struct node *c = tree_add(&tree, b, "c", 1);
	cr_assert_str_eq(path_of(top), "");
	cr_assert_str_eq(path_of(c), "/a/b/c");
	uint64_t version = tree.version;
	tree_move(&tree, a, top, "other", 5);
	cr_assert_neq(tree.version, version);
	cr_assert_str_eq(path_of(c), "/other/b/c");
	tree_move(&tree, b, top, "b", 1);
	cr_assert_str_eq(path_of(c), "/b/c");
	cr_assert_null(tree_child(&tree, a, "b", 1));
	cr_assert_eq(tree_child(&tree, top, "b", 1), b);
	cr_assert(tree_is_above(top, c) && tree_is_above(c, c) && !tree_is_above(a, c));
	free_all(&tree, top);
	tree_done(&tree);
}

Test(tree, names_are_whole_bytes_not_prefixes)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 0);
	struct node *a = tree_add(&tree, top, "a", 1);
	struct node *ab = tree_add(&tree, top, "ab", 2);
	struct node *odd = tree_add(&tree, top, "a\nb\xff", 4);
	cr_assert_eq(tree_child(&tree, top, "a", 1), a);
	cr_assert_eq(tree_child(&tree, top, "ab", 2), ab);
	cr_assert_eq(tree_child(&tree, top, "a\nb\xff", 4), odd);
	cr_assert_null(tree_child(&tree, top, "abc", 3));
	cr_assert_null(tree_child(&tree, a, "ab", 2));
	free_all(&tree, top);
	tree_done(&tree);
}

Test(tree, detached_node_is_not_found_but_knows_where_it_was)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 3);
	struct node *a = tree_add(&tree, top, "a", 1);
	struct node *b = tree_add(&tree, a, "b", 1);
	tree_detach(&tree, a);
	tree_detach(&tree, a);
	cr_assert_null(tree_child(&tree, top, "a", 1));
	cr_assert(!tree_attached(b));
	cr_assert_str_eq(path_of(b), "/a/b");
	cr_assert_eq(tree_top(b)->root, 3);
	struct node *again = tree_add(&tree, top, "a", 1);
	cr_assert_eq(tree_child(&tree, top, "a", 1), again);
	tree_move(&tree, a, top, "c", 1);
	cr_assert(tree_attached(b));
	cr_assert_eq(tree_child(&tree, top, "a", 1), again);
	cr_assert_eq(tree_child(&tree, top, "c", 1), a);
	free_all(&tree, top);
	cr_assert_eq(tree.count, 0);
	cr_assert_eq(tree.hashed, 0);
	tree_done(&tree);
}

Test(tree, descriptor_belongs_to_the_last_who_got_it)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 0);
	struct node *a = tree_add(&tree, top, "a", 1);
	struct node *b = tree_add(&tree, top, "b", 1);
	tree_set_wd(&tree, a, 7);
	a->flags |= NODE_SCANNED;
	tree_set_wd(&tree, a, 7);
	cr_assert(a->flags & NODE_SCANNED);
	tree_set_wd(&tree, b, 7);
	cr_assert_eq(a->wd, 0);
	cr_assert_eq(wdmap_find(&tree.wds, 7)->node, b);
	tree_set_wd(&tree, a, 8);
	cr_assert(!(a->flags & NODE_SCANNED), "a listing before the watch does not count");
	tree_set_wd(&tree, b, 0);
	cr_assert(wdmap_retired(wdmap_find(&tree.wds, 7)));
	free_all(&tree, top);
	cr_assert(wdmap_retired(wdmap_find(&tree.wds, 8)));
	tree_done(&tree);
}

Test(tree, walk_over_everything_meets_each_once_parents_first)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 0);
	for (int i = 0; i < 30; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "d%d", i);
		struct node *node = tree_add(&tree, top, name, strlen(name));
		for (int j = 0; j < 100; j++) {
			(void)snprintf(name, sizeof name, "s%d", j);
			(void)tree_add(&tree, node, name, strlen(name));
		}
	}
	size_t met = 0;
	for (struct node *at = top; at; at = tree_next(at, top)) {
		cr_assert(!at->parent || at->parent->seen == 1);
		cr_assert_eq(at->seen, 0);
		at->seen = 1;
		met++;
	}
	cr_assert_eq(met, 3031);
	cr_assert_eq(tree.count, 3031);
	const struct node *first = top->child;
	met = 0;
	for (const struct node *at = first; at; at = tree_next(at, first))
		met++;
	cr_assert_eq(met, 101, "only what lies below");
	free_all(&tree, top);
	tree_done(&tree);
}

Test(tree, table_shrinks_when_the_directories_are_gone)
{
	struct tree tree;
	tree_init(&tree);
	struct node *top = tree_add_top(&tree, 0);
	for (int i = 0; i < 100000; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "d%d", i);
		(void)tree_add(&tree, top, name, strlen(name));
	}
	cr_assert_geq(tree.bucket_count, 100000);
	while (tree.count > 51)
		tree_free(&tree, top->child);
	cr_assert_leq(tree.bucket_count, 512);
	for (int i = 0; i < 50; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "d%d", i);
		cr_assert_not_null(tree_child(&tree, top, name, strlen(name)));
	}
	free_all(&tree, top);
	cr_assert_eq(tree.bucket_count, 64);
	tree_done(&tree);
}

Test(tree, node_stays_small)
{
	cr_assert_leq(sizeof(struct node), 104, "a million directories must fit");
}
