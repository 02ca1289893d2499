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
		.dir = dir->wd,
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
