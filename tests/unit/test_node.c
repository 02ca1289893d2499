/* Tests of core/config/node.c. */
#include "config_support.h"

Test(node, tells_nulls_and_booleans)
{
	static const struct {
		const char *text;
		bool null, boolean, value;
	} rows[] = {
		{ "", true, false, false },	   { "~", true, false, false },
		{ "null", true, false, false },	   { "NULL", true, false, false },
		{ "'null'", false, false, false }, { "true", false, true, true },
		{ "Yes", false, true, true },	   { "on", false, true, true },
		{ "off", false, true, false },	   { "no", false, true, false },
		{ "FALSE", false, true, false },   { "'true'", false, false, false },
		{ "1", false, false, false },	   { "[a]", false, false, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[64];
		snprintf(text, sizeof text, "a: %s\n", rows[i].text);
		struct document *document = NULL;
		cr_assert_eq(document_parse(&document, "t", text, strlen(text), NULL), 0);
		const struct node *node = document->root->pairs[0].value;
		bool value = false;
		cr_expect_eq(node_is_null(node), rows[i].null, "%s", rows[i].text);
		cr_expect_eq(node_boolean(node, &value), rows[i].boolean, "%s", rows[i].text);
		cr_expect_eq(value, rows[i].value, "%s", rows[i].text);
		document_free(document);
	}
}

Test(node, names_its_kind)
{
	struct node node = { .type = NODE_LIST };
	cr_assert_str_eq(node_kind(&node), "a list");
	node.type = NODE_MAP;
	cr_assert_str_eq(node_kind(&node), "a mapping");
	node = (struct node){ .type = NODE_SCALAR, .plain = true, .text = (char[]){ "" } };
	cr_assert_str_eq(node_kind(&node), "nothing");
	node.plain = false;
	cr_assert_str_eq(node_kind(&node), "a value");
}

Test(node, errors_are_located_also_without_a_place_for_words)
{
	struct document document = { .file = (char[]){ "f.yml" } };
	struct mark at = { .line = 3, .column = 7 };
	cr_assert_eq(document_error(&document, at, NULL, "x"), -EINVAL);
	struct error err;
	cr_assert_eq(document_error(&document, at, &err, "%s", "words"), -EINVAL);
	cr_assert_str_eq(err.text, "f.yml:3:7: words");
	error_set(&err, EINVAL, "other");
	cr_assert_eq(document_locate(&document, at, &err), -EINVAL);
	cr_assert_str_eq(err.text, "f.yml:3:7: other");
	document_free(NULL);
}
