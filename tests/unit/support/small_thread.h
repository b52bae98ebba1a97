/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A function run where there is little: in a thread with a small stack, with few descriptors. */
#ifndef BTRFLY_TESTS_SMALL_THREAD_H
#define BTRFLY_TESTS_SMALL_THREAD_H

/* What @f returns with 128 KiB of stack and 32 descriptors; on errors its sentence is this thread's then. */
int in_small_thread(int (*f)(void *arg), void *arg);

#endif
