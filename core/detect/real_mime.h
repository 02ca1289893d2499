/* real_mime: the detail of an answer that says what a file really is, written and read. Pure; any
 * thread. */
#ifndef CARVED_CORE_DETECT_REAL_MIME_H
#define CARVED_CORE_DETECT_REAL_MIME_H

/** {"real_mime": "type/subtype"}; owned. */
char *real_mime_detail(const char *mime);
/** The type that a detail of this form holds, owned; NULL: it has another form, or is NULL. */
char *real_mime_of(const char *detail);

#endif
