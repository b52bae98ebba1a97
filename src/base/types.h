/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The integer names that the whole house uses. */
#ifndef BTRFLY_BASE_TYPES_H
#define BTRFLY_BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

static inline u64 min_u64(u64 a, u64 b) { return a < b ? a : b; }
static inline u64 max_u64(u64 a, u64 b) { return a > b ? a : b; }

/* @align must be a power of two; the caller has checked that the result fits. */
static inline u64 align_up(u64 v, u64 align) { return (v + align - 1) & ~(align - 1); }
static inline u64 align_down(u64 v, u64 align) { return v & ~(align - 1); }
static inline bool is_power_of_two(u64 v) { return v && !(v & (v - 1)); }

#endif
