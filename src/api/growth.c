/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/growth.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* No version will be longer: a size beyond it was never set. */
#define SIZE_LIMIT 4096

static size_t size_of(const void *given)
{
	size_t size;

	memcpy(&size, given, sizeof(size));
	return size;
}

int growth_check(const void *given, size_t first, size_t known, const char *type)
{
	const unsigned char *bytes = given;
	size_t size = size_of(given);

	if (size < first)
		return error_set(EINVAL, "struct_size of %s is %zu: start with its initializer", type, size);
	if (size > SIZE_LIMIT)
		return error_set(E2BIG, "struct_size of %s is %zu, more than %u", type, size, SIZE_LIMIT);
	for (size_t i = known; i < size; i++)
		if (bytes[i])
			return error_set(E2BIG, "byte %zu of %s is set, and this version of the library "
						"knows %zu", i, type, known);
	return 0;
}

int growth_take(void *own, const void *given, size_t first, size_t known, const char *type)
{
	int ret = growth_check(given, first, known, type);

	if (ret)
		return ret;
	memset(own, 0, known);
	memcpy(own, given, min_u64(size_of(given), known));
	return 0;
}

void growth_give(void *given, const void *own, size_t known)
{
	const size_t behind = sizeof(size_t);

	memcpy((char *)given + behind, (const char *)own + behind,
	       min_u64(size_of(given), known) - behind);
}
