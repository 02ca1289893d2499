/* paths: see paths.h. */
#include "watcher/paths.h"

#include <string.h>

size_t paths_put(const struct watcher *w, const struct node *node, struct bytes *out)
{
	const struct root *root = root_of(w, node);
	bytes_resize(out, 0);
	bytes_append(out, root->path, root->path_len);
	tree_append_path(node, out);
	return root->path_len;
}

bool paths_speak(struct watcher *w, const struct node *dir, const char *name, size_t len,
		 struct watcher_event *out)
{
	struct spoken *spoken = &w->spoken;
	if (spoken->dir != dir || spoken->version != w->tree.version) {
		(void)paths_put(w, dir, &spoken->path);
		spoken->dir = dir;
		spoken->version = w->tree.version;
		spoken->dir_len = spoken->path.len;
		spoken->root = tree_top(dir)->root;
		spoken->attached = tree_attached(dir);
	}
	if (!spoken->attached)
		return false;
	bytes_resize(&spoken->path, spoken->dir_len + 1 + len);
	spoken->path.data[spoken->dir_len] = '/';
	memcpy(spoken->path.data + spoken->dir_len + 1, name, len);
	*out = (struct watcher_event){
		.root = spoken->root,
		.path = spoken->path.data,
		.path_len = spoken->path.len,
		.dir_len = spoken->dir_len,
		.fsid = dir->fsid,
	};
	return true;
}

void paths_tell(struct watcher *w, enum watcher_kind kind, const struct node *node,
		const char *from)
{
	struct bytes path = { 0 };
	(void)paths_put(w, node, &path);
	if (path.len == 0)
		bytes_append(&path, "/", 1);
	notes_add(&w->notes, &(struct watcher_event){
				     .kind = kind,
				     .root = tree_top(node)->root,
				     .path = path.data,
				     .path_len = path.len,
				     .fsid = node->fsid,
				     .from = from,
			     });
	bytes_done(&path);
}

static const struct node *descend(const struct watcher *w, const struct root *root,
				  const char *path, size_t len)
{
	if (!root->top || len < root->path_len || memcmp(path, root->path, root->path_len) != 0)
		return NULL;
	const struct node *node = root->top;
	size_t at = root->path_len;
	while (node && at < len) {
		if (path[at] != '/')
			return NULL;
		const char *name = path + ++at;
		const char *slash = memchr(name, '/', len - at);
		size_t name_len = slash ? (size_t)(slash - name) : len - at;
		node = tree_child(&w->tree, node, name, name_len);
		at += name_len;
	}
	return node;
}

const struct node *paths_find(const struct watcher *w, const char *path, size_t len)
{
	for (uint32_t i = 0; i < w->root_count; i++) {
		const struct node *node = descend(w, w->roots[i], path, len);
		if (node)
			return node;
	}
	return NULL;
}
