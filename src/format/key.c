/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "format/key.h"

#include <inttypes.h>
#include <stdio.h>

static const char *type_name(u8 type)
{
	switch (type) {
	case KEY_INODE_ITEM: return "INODE_ITEM";
	case KEY_INODE_REF: return "INODE_REF";
	case KEY_INODE_EXTREF: return "INODE_EXTREF";
	case KEY_XATTR_ITEM: return "XATTR_ITEM";
	case KEY_VERITY_DESC_ITEM: return "VERITY_DESC_ITEM";
	case KEY_VERITY_MERKLE_ITEM: return "VERITY_MERKLE_ITEM";
	case KEY_ORPHAN_ITEM: return "ORPHAN_ITEM";
	case KEY_DIR_ITEM: return "DIR_ITEM";
	case KEY_DIR_INDEX: return "DIR_INDEX";
	case KEY_EXTENT_DATA: return "EXTENT_DATA";
	case KEY_EXTENT_CSUM: return "EXTENT_CSUM";
	case KEY_ROOT_ITEM: return "ROOT_ITEM";
	case KEY_ROOT_BACKREF: return "ROOT_BACKREF";
	case KEY_ROOT_REF: return "ROOT_REF";
	case KEY_EXTENT_ITEM: return "EXTENT_ITEM";
	case KEY_METADATA_ITEM: return "METADATA_ITEM";
	case KEY_TREE_BLOCK_REF: return "TREE_BLOCK_REF";
	case KEY_EXTENT_DATA_REF: return "EXTENT_DATA_REF";
	case KEY_SHARED_BLOCK_REF: return "SHARED_BLOCK_REF";
	case KEY_SHARED_DATA_REF: return "SHARED_DATA_REF";
	case KEY_BLOCK_GROUP_ITEM: return "BLOCK_GROUP_ITEM";
	case KEY_DEV_EXTENT: return "DEV_EXTENT";
	case KEY_DEV_ITEM: return "DEV_ITEM";
	case KEY_CHUNK_ITEM: return "CHUNK_ITEM";
	default: return NULL;
	}
}

const char *key_text(const struct key *k, char *buf)
{
	const char *name = type_name(k->type);

	if (name)
		snprintf(buf, KEY_TEXT_MAX, "(%" PRIu64 " %s %" PRIu64 ")", k->objectid, name,
			 k->offset);
	else
		snprintf(buf, KEY_TEXT_MAX, "(%" PRIu64 " type %u %" PRIu64 ")", k->objectid,
			 k->type, k->offset);
	return buf;
}
