/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/huge.h"

#include <sys/mman.h>
#include <sys/resource.h>

static long faults(void)
{
	struct rusage r;

	return getrusage(RUSAGE_THREAD, &r) ? 0 : r.ru_minflt;
}

/* The kernel says nothing of what it gave: but a huge page is there after one fault.  (Sanitizers would have
 * faults of their own here.) */
__attribute__((no_sanitize_address, no_sanitize_thread)) static bool came_at_once(volatile u8 *page)
{
	long before = faults();

	page[0] = 0;
	page[HUGE_PAGE - 1] = 0;
	return faults() - before == 1;
}

void *huge_page_map(void)
{
	u8 *map = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *page;

	if (map == MAP_FAILED)
		return NULL;
	page = (u8 *)align_up((uintptr_t)map, HUGE_PAGE);
	if (page > map)
		munmap(map, (size_t)(page - map));
	if (page < map + HUGE_PAGE)
		munmap(page + HUGE_PAGE, (size_t)(map + HUGE_PAGE - page));
	if (madvise(page, HUGE_PAGE, MADV_HUGEPAGE) || !came_at_once(page)) {
		huge_page_unmap(page);
		return NULL;
	}
	return page;
}

void huge_page_unmap(void *page)
{
	munmap(page, HUGE_PAGE);
}
