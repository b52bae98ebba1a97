/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/thread.h"

#include <link.h>
#include <unistd.h>

#include "base/error.h"
#include "base/types.h"

#ifndef __has_feature
#define __has_feature(what) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) || \
	__has_feature(thread_sanitizer)
#define STACK_BYTES (8u << 20) /* their frames are many times as long */
#else
#define STACK_BYTES (128u << 10)
#endif
/* As long as the longest frame may be: none reaches over it. */
#define GUARD_BYTES (16u << 10)
#define ALIGN (64u << 10)

static int add_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *sum = arg;

	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
	return 0;
}

/* The C library takes thread-local storage, of every library in the process, out of the stack, and the guard too. */
static size_t stack_size(void)
{
	const long least = sysconf(_SC_THREAD_STACK_MIN);
	size_t tls = 0;

	dl_iterate_phdr(add_tls, &tls);
	return align_up(STACK_BYTES + GUARD_BYTES + tls + (least > 0 ? (size_t)least : 0), ALIGN);
}

int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (!err) {
		err = pthread_attr_setguardsize(&attr, GUARD_BYTES);
		if (!err)
			err = pthread_attr_setstacksize(&attr, stack_size());
		if (!err)
			err = pthread_create(thread, &attr, run, arg);
		pthread_attr_destroy(&attr);
	}
	return err ? error_errno(err, "cannot start a thread") : 0;
}
