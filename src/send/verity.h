/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fs-verity: the command that turns it on again at the receiver (protocol 3). */
#ifndef BTRFLY_SEND_VERITY_H
#define BTRFLY_SEND_VERITY_H

#include "send/plan.h"

int plan_verity(struct send_plan *p);

#endif
