/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structs of callers that are older or newer than the library.  A struct begins with its size; what an older
 * caller's lacks is zero, what a newer one's has more must be zero, for nobody here knows what it asks for.
 */
#ifndef BTRFLY_API_GROWTH_H
#define BTRFLY_API_GROWTH_H

#include <stddef.h>

/*
 * Whether the struct at @given, called @type, may be used: it has @first bytes in the first version that was
 * published and @known in this one.  0; -EINVAL if it is too short; -E2BIG if it asks for what is not known
 * here.  Each with a sentence.
 */
int growth_check(const void *given, size_t first, size_t known, const char *type);

/* Arguments: growth_check(), and all that this version knows into @own. */
int growth_take(void *own, const void *given, size_t first, size_t known, const char *type);

/* Results: @own into @given, which growth_check() has let through, but for its size. */
void growth_give(void *given, const void *own, size_t known);

/* The same for a struct whose first version ends with @last; never another member for the same struct. */
#define GROWTH_FIRST(type, last) (offsetof(type, last) + sizeof(((type *)NULL)->last))
#define GROWTH_CHECK(given, type, last)                                                            \
	growth_check(given, GROWTH_FIRST(type, last), sizeof(type), #type)
#define GROWTH_TAKE(own, given, type, last)                                                        \
	growth_take(own, given, GROWTH_FIRST(type, last), sizeof(type), #type)

#endif
