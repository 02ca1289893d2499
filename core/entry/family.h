/*
 * family: the naming schemes, one function a producer; scheme.c holds them in a table.
 *
 * Each looks at a name and says what it is. The entry, which comes in empty, is filled for
 * SCHEME_FILE and untouched otherwise. Pure, linear in the name's length; any thread.
 */
#ifndef CARVED_CORE_ENTRY_FAMILY_H
#define CARVED_CORE_ENTRY_FAMILY_H

#include "core/entry/entry.h"
#include "core/entry/name.h"
#include "core/entry/scheme.h"

enum scheme_result strelka_parse(const struct name *name, struct entry *entry);
enum scheme_result suricata_parse(const struct name *name, struct entry *entry);
enum scheme_result bzar_parse(const struct name *name, struct entry *entry);
enum scheme_result malcolm_parse(const struct name *name, struct entry *entry);
enum scheme_result zeek_parse(const struct name *name, struct entry *entry);
enum scheme_result securityonion_parse(const struct name *name, struct entry *entry);
enum scheme_result broapt_parse(const struct name *name, struct entry *entry);
enum scheme_result broapt_exact_parse(const struct name *name, struct entry *entry);

#endif
