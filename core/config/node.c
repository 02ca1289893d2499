/* node: what can be asked of a YAML tree, and errors that say where; see node.h. The tree is built
 * in document.c. */
#include "core/config/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"

/* A very long file name must not push the words out of struct error. */
#define SHOWN_NAME_MAX 200

static void free_node(struct node *node)
{
	free(node->text);
	free(node->items);
	free(node->pairs);
	free(node);
}

void document_free(struct document *document)
{
	if (!document)
		return;
	for (size_t i = 0; i < document->node_count; i++)
		free_node(document->nodes[i]);
	free(document->nodes);
	free(document->file);
	free(document);
}

static const char *shown_name(const struct document *document)
{
	size_t len = strlen(document->file);
	return len <= SHOWN_NAME_MAX ? document->file : document->file + len - SHOWN_NAME_MAX;
}

int document_error(const struct document *document, struct mark at, struct error *err,
		   const char *format, ...)
{
	char words[sizeof err->text];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(words, sizeof words, format, args);
	va_end(args);
	return error_set(err, EINVAL, "%s:%u:%u: %s", shown_name(document), at.line, at.column,
			 words);
}

int document_locate(const struct document *document, struct mark at, struct error *err)
{
	(void)error_prefix(err, "%s:%u:%u", shown_name(document), at.line, at.column);
	return -EINVAL;
}

bool node_is_null(const struct node *node)
{
	if (node->type != NODE_SCALAR || !node->plain)
		return false;
	return !*node->text || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0;
}

const char *node_kind(const struct node *node)
{
	if (node_is_null(node))
		return "nothing";
	switch (node->type) {
	case NODE_SCALAR:
		return "a value";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	}
	return "";
}

bool node_boolean(const struct node *node, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
	if (node->type != NODE_SCALAR || !node->plain)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcasecmp(node->text, words[i]) == 0) {
			*out = i % 2;
			return true;
		}
	}
	return false;
}
