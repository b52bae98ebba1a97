/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a fuzzer has changed, with its checksums made right again: else nothing behind them would ever be
 * reached. */
#ifndef BTRFLY_FUZZ_REPAIR_H
#define BTRFLY_FUZZ_REPAIR_H

#include "base/types.h"

/* Give every command in @data whose length fits its right checksum. */
void repair_stream(u8 *data, size_t size);

/* Make a file of DIR/.btrfly one of this run of the machine, if it is a journal. */
void repair_journal(u8 *data, size_t size);

#endif
