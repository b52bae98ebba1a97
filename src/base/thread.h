/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads of our own.  None needs more than 128 KiB of stack, and none is given more, whatever the limit of the process
 * is; so no frame may be long (tests/frames) and nothing may call itself without a small bound.
 */
#ifndef BTRFLY_BASE_THREAD_H
#define BTRFLY_BASE_THREAD_H

#include <pthread.h>

/* 0, or a negative errno with a sentence. */
int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
