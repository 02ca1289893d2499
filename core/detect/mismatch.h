/*
 * mismatch: does the difference between a declared and a real MIME type matter?
 *
 * It does when something that runs is declared as something that is looked at: a program as an
 * image, sound, film, font, text or document; a script as any of these but text, because a script
 * is text. A type that says nothing (none, application/octet-stream and the like) declares nothing.
 * Other differences are common and harmless: archives under the names of what is in them (zip and
 * office, jar, apk, epub), xml and svg, aliases of the same type. Pure; any thread.
 */
#ifndef CARVED_CORE_DETECT_MISMATCH_H
#define CARVED_CORE_DETECT_MISMATCH_H

/** What the file is, in a word ("program", "script"), when it matters; else NULL. Types are lower
 * case; declared may be "". */
const char *mismatch(const char *declared, const char *real);

#endif
