/* chart: see chart.h. */
#include "core/cli/chart.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "core/base/str.h"

/* Between the columns. */
#define GAP 2
/* The bar's least width: less for the label before that. */
#define BAR_LEAST 8
#define EIGHTHS	  8
#define S_MS	  1000.0
#define MIN_MS	  60000.0

static const char *const parts[EIGHTHS] = { "",	      "\u258f", "\u258e", "\u258d",
					    "\u258c", "\u258b", "\u258a", "\u2589" };
#define WHOLE "\u2588"

/* Code points: each is taken for one column. */
static size_t columns_of(const char *text)
{
	size_t columns = 0;
	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}

static void pad(struct str *out, size_t columns)
{
	while (columns--)
		str_putc(out, ' ');
}

/* As people may see it; without UTF-8 it is made ASCII here, since that makes it longer. */
static void put_escaped(const struct chart *chart, const char *text, struct str *out)
{
	str_escape(out, text, strlen(text));
	if (!chart->utf8)
		chart_ascii(out);
}

/* In exactly so many columns; what is cut ends with "~". */
static void put_label(const struct chart *chart, const char *label, size_t columns, struct str *out)
{
	AUTO_STR text = STR_INIT;
	put_escaped(chart, label, &text);
	size_t have = columns_of(str_text(&text));
	if (have <= columns) {
		str_puts(out, str_text(&text));
		pad(out, columns - have);
		return;
	}
	const char *at = str_text(&text);
	for (size_t i = 0; i + 1 < columns; i++) {
		do
			str_putc(out, *at++);
		while (((unsigned char)*at & 0xc0) == 0x80);
	}
	str_putc(out, '~');
}

static void put_bar(const struct chart *chart, double share, size_t columns, struct str *out)
{
	const size_t steps = chart->utf8 ? EIGHTHS : 1;
	size_t length = (size_t)(share * (double)(columns * steps) + 0.5);
	if (length == 0 && share > 0)
		length = 1;
	for (size_t i = 0; i < length / steps; i++)
		str_puts(out, chart->utf8 ? WHOLE : "#");
	str_puts(out, parts[length % steps]);
}

/* The widest of the columns before the bars. */
static void measure(const struct chart *chart, const struct chart_row *rows, size_t count,
		    size_t *label, size_t *value)
{
	*label = *value = 0;
	for (size_t i = 0; i < count; i++) {
		AUTO_STR text = STR_INIT;
		put_escaped(chart, rows[i].label, &text);
		size_t columns = columns_of(str_text(&text));
		*label = columns > *label ? columns : *label;
		columns = strlen(rows[i].value);
		*value = columns > *value ? columns : *value;
	}
}

void chart_rows(const struct chart *chart, const struct chart_row *rows, size_t count,
		struct str *out)
{
	const size_t width = chart->width > CHART_NARROWEST ? chart->width : CHART_NARROWEST;
	size_t label, value;
	measure(chart, rows, count, &label, &value);
	const size_t taken = value + (size_t)GAP * 3 + BAR_LEAST;
	const size_t room = width > taken + 1 ? width - taken : 1;
	label = label < room ? label : room;
	const size_t before = label + value + (size_t)GAP * 3;
	const size_t bar = width > before ? width - before : 0;
	double most = 0;
	for (size_t i = 0; i < count; i++)
		most = rows[i].size > most ? rows[i].size : most;
	for (size_t i = 0; i < count; i++) {
		pad(out, GAP);
		put_label(chart, rows[i].label, label, out);
		pad(out, GAP + value - strlen(rows[i].value));
		str_puts(out, rows[i].value);
		if (rows[i].size > 0 && bar > 0) {
			pad(out, GAP);
			put_bar(chart, rows[i].size / most, bar, out);
		}
		str_putc(out, '\n');
	}
}

void chart_number(struct str *out, int64_t number)
{
	char digits[32];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)number);
	for (int i = 0; i < len; i++) {
		if (i > (digits[0] == '-') && (len - i) % 3 == 0)
			str_putc(out, ',');
		str_putc(out, digits[i]);
	}
}

void chart_time(struct str *out, double ms)
{
	if (ms < S_MS)
		str_printf(out, ms < 10 ? "%.2f ms" : "%.0f ms", ms);
	else if (ms < MIN_MS)
		str_printf(out, "%.1f s", ms / S_MS);
	else
		str_printf(out, "%.1f min", ms / MIN_MS);
}

void chart_ascii(struct str *text)
{
	AUTO_STR plain = STR_INIT;
	for (size_t i = 0; i < text->len; i++) {
		unsigned char byte = (unsigned char)text->data[i];
		if (byte < 0x80)
			str_putc(&plain, (char)byte);
		else
			str_printf(&plain, "\\x%02X", byte);
	}
	str_reset(text);
	str_puts(text, str_text(&plain));
}

bool chart_locale_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	if (!locale)
		return false; /* one that is not installed: nobody knows what the terminal has */
	bool is = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return is;
}
