/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "receive/skipped.h"

#include <errno.h>
#include <stdio.h>

static const struct {
	const char *one, *many;
} words[SKIPPED_KINDS] = {
	[SKIPPED_OWNER] = {"owner", "owners"},
	[SKIPPED_SETID] = {"setuid or setgid bit", "setuid or setgid bits"},
	[SKIPPED_DEVICE] = {"device node", "device nodes"},
	[SKIPPED_SPECIAL] = {"fifo or socket", "fifos or sockets"},
	[SKIPPED_SYMLINK] = {"symlink", "symlinks"},
	[SKIPPED_TRUSTED] = {"trusted attribute", "trusted attributes"},
	[SKIPPED_SECURITY] = {"security attribute", "security attributes"},
	[SKIPPED_ACL] = {"access control list", "access control lists"},
	[SKIPPED_XATTR] = {"other extended attribute", "other extended attributes"},
	[SKIPPED_FLAGS] = {"set of file flags", "sets of file flags"},
	[SKIPPED_PREALLOC] = {"preallocated range", "preallocated ranges"},
	[SKIPPED_VERITY] = {"fs-verity seal", "fs-verity seals"},
	[SKIPPED_DATA] = {"range of data that the stream does not have", "ranges of data that the stream does not have"},
	[SKIPPED_MODE] = {"mode", "modes"},
	[SKIPPED_TIMES] = {"set of times", "sets of times"},
	[SKIPPED_LINK] = {"hard link", "hard links"},
	[SKIPPED_NAME] = {"changed name", "changed names"},
};

/* Filesystems refuse in many ways, so it is the failures that are listed. */
bool skipped_because(int err)
{
	switch (err) {
	case EIO: case EUCLEAN: case EBADMSG: case ENODEV: case ENXIO: case EREMOTEIO: /* the device */
	case ENOSPC: case EDQUOT: case EROFS: case EFBIG:
	case ENOENT: case ENOTDIR: case EISDIR: case ELOOP: case ENAMETOOLONG: case EEXIST: case EXDEV:
	case ENOMEM: case EMFILE: case ENFILE: case EBADF: case EFAULT:
	case EINTR: case EAGAIN: case EBUSY: case ETXTBSY:
	case ESTALE: case ETIMEDOUT: case ENOTCONN: case ECONNABORTED: case ECONNRESET: case ECONNREFUSED:
	case ESHUTDOWN: case EHOSTDOWN: case EHOSTUNREACH: /* a server that is gone */
		return false;
	}
	return err > 0;
}

const char *skipped_name(enum skipped_kind kind)
{
	return words[kind].one;
}

void skipped_kinds_text(u32 kinds, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < SKIPPED_KINDS && used < size; i++)
		if (kinds >> i & 1)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", words[i].many);
}

size_t skipped_text(const struct skipped *s, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < SKIPPED_KINDS && used < size; i++) {
		u64 n = s->count[i];

		if (n)
			used += snprintf(out + used, size - used, "%s%llu %s", used ? ", " : "",
					 (unsigned long long)n, n == 1 ? words[i].one : words[i].many);
	}
	return used;
}
