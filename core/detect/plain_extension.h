/* plain_extension: what a program takes for the extension of a name. Pure; any thread. */
#ifndef CARVED_CORE_DETECT_PLAIN_EXTENSION_H
#define CARVED_CORE_DETECT_PLAIN_EXTENSION_H

#include "core/entry/entry.h"

/** The letters and digits after the name's last dot, at most 16; at is NULL when there are none. */
struct slice plain_extension(struct slice name);

#endif
