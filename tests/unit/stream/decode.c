/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "stream/decode.h"
#include "support/stream_builder.h"

static struct builder b;
static struct stream_decoder d;

static int setup(void **state)
{
	b.len = 0;
	stream_decoder_init(&d);
	return 0;
}

static int teardown(void **state)
{
	stream_decoder_release(&d);
	return 0;
}

/* Feed what was built, @step bytes at a time from position @*pos, up to the next event or error. */
static int next(size_t *pos, size_t step)
{
	while (*pos < b.len) {
		size_t n = b.len - *pos < step ? b.len - *pos : step, used;
		int ret = stream_decoder_feed(&d, b.bytes + *pos, n, &used);

		assert_true(used <= n);
		*pos += used;
		assert_int_equal(d.offset, *pos);
		if (ret)
			return ret;
		assert_int_equal(used, n);
	}
	return STREAM_WANTS_MORE;
}

static bool bytes_are(struct stream_bytes got, const char *want)
{
	return got.len == strlen(want) && !memcmp(got.data, want, got.len);
}

static void build_small(void)
{
	put_header(&b, 1);
	put_subvol(&b, "snap", 7);
	put_path(&b, STREAM_C_MKFILE, "o257-5-0");
	put_two_paths(&b, STREAM_C_RENAME, "o257-5-0", STREAM_A_PATH_TO, "file");
	put_write(&b, "file", 4096, "hello", 5);
	put_end(&b);
}

static void expect_small(size_t step)
{
	size_t pos = 0;

	assert_int_equal(next(&pos, step), STREAM_HEADER);
	assert_int_equal(d.version, 1);
	assert_int_equal(next(&pos, step), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_SUBVOL);
	assert_int_equal(d.command.number, 1);
	assert_int_equal(d.command.offset, 17);
	assert_true(bytes_are(d.command.path, "snap"));
	assert_int_equal(d.command.uuid[0], 7);
	assert_int_equal(d.command.uuid[15], 7);
	assert_int_equal(d.command.ctransid, 7);
	assert_int_equal(next(&pos, step), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_MKFILE);
	assert_int_equal(d.command.ino, 257);
	assert_int_equal(next(&pos, step), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_RENAME);
	assert_true(bytes_are(d.command.path, "o257-5-0"));
	assert_true(bytes_are(d.command.path_to, "file"));
	assert_int_equal(next(&pos, step), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_WRITE);
	assert_int_equal(d.command.file_offset, 4096);
	assert_true(bytes_are(d.command.data, "hello"));
	assert_true(command_has(&d.command, STREAM_A_DATA));
	assert_false(command_has(&d.command, STREAM_A_INO));
	assert_int_equal(d.command.number, 4);
	assert_int_equal(next(&pos, step), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_END);
	assert_int_equal(pos, b.len);
	assert_int_equal(stream_decoder_finish(&d), 0);
}

static void test_commands_come_out_whole(void **state)
{
	build_small();
	expect_small(b.len);
}

static void test_input_may_be_cut_anywhere(void **state)
{
	build_small();
	for (size_t step = 1; step < 60; step++) {
		stream_decoder_release(&d);
		stream_decoder_init(&d);
		expect_small(step);
	}
}

/* What wants() says is enough for an event and never goes beyond it. */
static void test_wants_never_reads_ahead(void **state)
{
	size_t pos = 0, used;
	int events = 0;

	build_small();
	while (pos < b.len) {
		size_t n = stream_decoder_wants(&d);

		assert_true(n > 0 && pos + n <= b.len);
		events += stream_decoder_feed(&d, b.bytes + pos, n, &used) > 0;
		assert_int_equal(used, n);
		pos += n;
	}
	assert_int_equal(events, 6);
}

static void test_streams_follow_each_other(void **state)
{
	size_t pos = 0;
	int events = 0;

	build_small();
	build_small();
	while (next(&pos, 1000) > 0)
		events++;
	assert_int_equal(events, 12);
	assert_int_equal(d.streams, 2);
	assert_int_equal(d.command.number, 10);
	assert_int_equal(stream_decoder_finish(&d), 0);
}

static void test_all_attributes_are_read(void **state)
{
	size_t pos = 0;

	put_header(&b, 3);
	begin(&b, STREAM_C_ENCODED_WRITE);
	attr_text(&b, STREAM_A_PATH, "p");
	attr_u64(&b, STREAM_A_FILE_OFFSET, 1);
	attr_u64(&b, STREAM_A_UNENCODED_FILE_LEN, 2);
	attr_u64(&b, STREAM_A_UNENCODED_LEN, 3);
	attr_u64(&b, STREAM_A_UNENCODED_OFFSET, 4);
	attr_u32(&b, STREAM_A_COMPRESSION, 5);
	attr_u32(&b, STREAM_A_ENCRYPTION, 6);
	attr_data_v2(&b, "data to the end", 15);
	end(&b);
	begin(&b, STREAM_C_UTIMES);
	attr_text(&b, STREAM_A_PATH, "");
	attr_time(&b, STREAM_A_ATIME, -1, 2);
	attr_time(&b, STREAM_A_MTIME, 3, 999999999);
	attr_time(&b, STREAM_A_CTIME, 5, 6);
	attr_time(&b, STREAM_A_OTIME, 7, 8);
	end(&b);
	begin(&b, STREAM_C_ENABLE_VERITY);
	attr_text(&b, STREAM_A_PATH, "v");
	attr_u8(&b, STREAM_A_VERITY_ALGORITHM, 1);
	attr_u32(&b, STREAM_A_VERITY_BLOCK_SIZE, 4096);
	attr_text(&b, STREAM_A_VERITY_SALT_DATA, "salt");
	attr_text(&b, STREAM_A_VERITY_SIG_DATA, "");
	end(&b);
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);

	const struct decoded_command *c = &d.command;

	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(c->file_offset, 1);
	assert_int_equal(c->unencoded_file_len, 2);
	assert_int_equal(c->unencoded_len, 3);
	assert_int_equal(c->unencoded_offset, 4);
	assert_int_equal(c->compression, 5);
	assert_int_equal(c->encryption, 6);
	assert_true(bytes_are(c->data, "data to the end"));
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(c->path.len, 0);
	assert_true(c->atime.sec == -1 && c->atime.nsec == 2);
	assert_true(c->mtime.sec == 3 && c->mtime.nsec == 999999999);
	assert_true(c->ctime.sec == 5 && c->ctime.nsec == 6);
	assert_true(c->otime.sec == 7 && c->otime.nsec == 8);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(c->verity_algorithm, 1);
	assert_int_equal(c->verity_block_size, 4096);
	assert_true(bytes_are(c->verity_salt, "salt"));
	assert_true(bytes_are(c->verity_sig, ""));
}

/* Every prefix of a stream but the whole one is an error, wherever it ends. */
static void test_every_early_end_is_an_error(void **state)
{
	build_small();

	size_t whole = b.len;

	for (size_t cut = 0; cut < whole; cut++) {
		size_t pos = 0;
		int ret;

		stream_decoder_release(&d);
		stream_decoder_init(&d);
		b.len = cut;
		while ((ret = next(&pos, whole)) > 0)
			;
		assert_int_equal(ret, 0);
		assert_int_equal(stream_decoder_finish(&d), -EINVAL);
		assert_non_null(strstr(error_message(), cut ? "ends early" : "empty stream"));
	}
}

/* A changed byte is found, wherever it is: nothing that was delivered differs from the original. */
static void test_every_changed_byte_is_found(void **state)
{
	build_small();
	for (size_t at = 0; at < b.len; at++) {
		size_t pos = 0;
		int ret;

		stream_decoder_release(&d);
		stream_decoder_init(&d);
		b.bytes[at] ^= 0x40;
		while ((ret = next(&pos, b.len)) > 0)
			;
		b.bytes[at] ^= 0x40;
		/* A length that grew beyond the end of the input is found there. */
		assert_int_equal(ret ? ret : stream_decoder_finish(&d), -EINVAL);
	}
}

/* The header, then the command built behind it fails with @sentence; the next one is read again. */
static void expect_failure(const char *sentence)
{
	size_t pos = 0;

	put_end(&b);
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);
	assert_int_equal(next(&pos, b.len), -EINVAL);
	assert_string_equal(error_message(), sentence);
	assert_false(d.lost);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(d.command.type, STREAM_C_END);
	assert_int_equal(d.command.number, 2);
}

static void test_wrong_checksum(void **state)
{
	put_header(&b, 1);
	put_path(&b, STREAM_C_UNLINK, "x");
	b.bytes[b.len - 1] ^= 1;
	expect_failure("stream offset 17: command 1 (unlink): checksum mismatch");
}

static void test_unknown_command(void **state)
{
	put_header(&b, 3);
	begin(&b, STREAM_C_MAX + 1);
	end(&b);
	expect_failure("stream offset 17: command 1 (type 27): no such command");
}

static void test_command_zero(void **state)
{
	put_header(&b, 3);
	begin(&b, 0);
	end(&b);
	expect_failure("stream offset 17: command 1 (type 0): no such command");
}

static void test_command_of_a_later_version(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_FALLOCATE);
	end(&b);
	expect_failure("stream offset 17: command 1 (fallocate): the command is not of version 1");
}

static void test_unknown_attribute(void **state)
{
	put_header(&b, 3);
	begin(&b, STREAM_C_UNLINK);
	attr_text(&b, STREAM_A_PATH, "x");
	attr_text(&b, STREAM_A_MAX + 1, "x");
	end(&b);
	expect_failure("stream offset 17: command 1 (unlink): attribute of unknown type 36");
}

static void test_attribute_of_a_later_version(void **state)
{
	put_header(&b, 2);
	begin(&b, STREAM_C_UNLINK);
	attr_u8(&b, STREAM_A_VERITY_ALGORITHM, 1);
	end(&b);
	expect_failure(
		"stream offset 17: command 1 (unlink): attribute verity_algorithm is not of version 2");
}

static void test_attribute_beyond_the_command(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_UNLINK);
	attr_text(&b, STREAM_A_PATH, "name");
	put_le16(b.bytes + b.len - 6, 5);
	end(&b);
	expect_failure("stream offset 17: command 1 (unlink): attribute path of 5 bytes where the "
		       "command has 4 left");
}

static void test_attribute_cut_within_its_length(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_UNLINK);
	put(&b, "\x0f\0\1", 3);
	end(&b);
	expect_failure(
		"stream offset 17: command 1 (unlink): attribute path ends within its length");
}

static void test_attribute_cut_within_its_type(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_UNLINK);
	attr_text(&b, STREAM_A_PATH, "name");
	put(&b, "\x0f", 1);
	end(&b);
	expect_failure(
		"stream offset 17: command 1 (unlink): a lone byte behind the last attribute");
}

static void test_missing_attribute(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_WRITE);
	attr_text(&b, STREAM_A_PATH, "name");
	attr_text(&b, STREAM_A_DATA, "data");
	end(&b);
	expect_failure("stream offset 17: command 1 (write): attribute file_offset is missing");
}

static void test_duplicate_attribute(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_UNLINK);
	attr_text(&b, STREAM_A_PATH, "name");
	attr_text(&b, STREAM_A_PATH, "name");
	end(&b);
	expect_failure("stream offset 17: command 1 (unlink): attribute path comes twice");
}

static void test_wrong_size(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_TRUNCATE);
	attr_text(&b, STREAM_A_PATH, "name");
	attr_u32(&b, STREAM_A_SIZE, 1);
	end(&b);
	expect_failure(
		"stream offset 17: command 1 (truncate): attribute size has 4 bytes instead of 8");
}

static void test_nul_in_a_path(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_UNLINK);
	attr(&b, STREAM_A_PATH, "a\0b", 3);
	end(&b);
	expect_failure("stream offset 17: command 1 (unlink): attribute path has a NUL byte");
}

static void put_symlink(const char *target, size_t len)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_SYMLINK);
	attr_text(&b, STREAM_A_PATH, "o257-7-0");
	attr_u64(&b, STREAM_A_INO, 257);
	attr(&b, STREAM_A_PATH_LINK, target, len);
	end(&b);
}

static void test_nul_behind_a_target(void **state)
{
	size_t pos = 0;

	put_symlink("target", 7);
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_true(bytes_are(d.command.path_link, "target"));
}

static void test_nul_in_a_target(void **state)
{
	put_symlink("a\0b", 4);
	expect_failure("stream offset 17: command 1 (symlink): attribute path_link has a NUL byte");
}

/* A text or bytes of @len, a slash in every 200 where that makes names of it. */
static const char *filled(size_t len, bool path)
{
	static char text[65536];

	for (size_t i = 0; i < len; i++)
		text[i] = path && i % 200 == 199 && i + 1 < len ? '/' : 'x';
	return text;
}

/* @cmd has @attr with @len bytes, and what else it needs. */
static void put_long(u16 cmd, u16 type, size_t len, bool path)
{
	static const struct {
		u16 cmd;
		u16 text[4];
		u16 u64s[5];
		u16 uuids[2];
	} others[] = {
		{STREAM_C_SUBVOL, {0}, {STREAM_A_CTRANSID}, {STREAM_A_UUID}},
		{STREAM_C_SNAPSHOT, {0}, {STREAM_A_CTRANSID, STREAM_A_CLONE_CTRANSID},
		 {STREAM_A_UUID, STREAM_A_CLONE_UUID}},
		{STREAM_C_UNLINK, {0}, {0}, {0}},
		{STREAM_C_RENAME, {STREAM_A_PATH}, {0}, {0}},
		{STREAM_C_LINK, {STREAM_A_PATH}, {0}, {0}},
		{STREAM_C_SYMLINK, {STREAM_A_PATH}, {STREAM_A_INO}, {0}},
		{STREAM_C_CLONE, {STREAM_A_PATH},
		 {STREAM_A_FILE_OFFSET, STREAM_A_CLONE_LEN, STREAM_A_CLONE_CTRANSID, STREAM_A_CLONE_OFFSET},
		 {STREAM_A_CLONE_UUID}},
		{STREAM_C_SET_XATTR, {STREAM_A_PATH, STREAM_A_XATTR_NAME, STREAM_A_XATTR_DATA}, {0}, {0}},
		{STREAM_C_REMOVE_XATTR, {STREAM_A_PATH}, {0}, {0}},
		{STREAM_C_ENABLE_VERITY,
		 {STREAM_A_PATH, STREAM_A_VERITY_SALT_DATA, STREAM_A_VERITY_SIG_DATA}, {0}, {0}},
	};
	size_t i = 0;

	while (others[i].cmd != cmd)
		i++;
	begin(&b, cmd);
	for (const u16 *t = others[i].text; *t; t++)
		if (*t != type)
			attr_text(&b, *t, "a");
	for (const u16 *t = others[i].u64s; *t; t++)
		attr_u64(&b, *t, 1);
	for (size_t k = 0; k < 2 && others[i].uuids[k]; k++)
		attr_uuid(&b, others[i].uuids[k], 1);
	if (cmd == STREAM_C_ENABLE_VERITY) {
		attr_u8(&b, STREAM_A_VERITY_ALGORITHM, 1);
		attr_u32(&b, STREAM_A_VERITY_BLOCK_SIZE, 4096);
	}
	attr(&b, type, filled(len, path), len);
	end(&b);
}

/* Of @max bytes the attribute is taken, of one more it is refused by name. */
static void expect_limit(u16 cmd, u16 type, const char *name, u32 max, bool path)
{
	char sentence[200];
	size_t pos = 0;

	stream_decoder_release(&d);
	stream_decoder_init(&d);
	b.len = 0;
	put_header(&b, 3);
	put_long(cmd, type, max, path);
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	stream_decoder_release(&d);
	stream_decoder_init(&d);
	b.len = 0;
	put_header(&b, 3);
	put_long(cmd, type, max + 1, path);
	snprintf(sentence, sizeof(sentence),
		 "stream offset 17: command 1 (%s): attribute %s of %u bytes is longer than %u bytes",
		 stream_command_name(cmd), name, max + 1, max);
	expect_failure(sentence);
}

static void test_subvolume_names_end_at_255_bytes(void **state)
{
	expect_limit(STREAM_C_SUBVOL, STREAM_A_PATH, "path", 255, false);
	expect_limit(STREAM_C_SNAPSHOT, STREAM_A_PATH, "path", 255, false);
}

static void test_paths_end_at_4096_bytes(void **state)
{
	expect_limit(STREAM_C_UNLINK, STREAM_A_PATH, "path", 4096, true);
	expect_limit(STREAM_C_RENAME, STREAM_A_PATH_TO, "path_to", 4096, true);
	expect_limit(STREAM_C_LINK, STREAM_A_PATH_LINK, "path_link", 4096, true);
	expect_limit(STREAM_C_CLONE, STREAM_A_CLONE_PATH, "clone_path", 4096, true);
}

/* It is no path of the stream: its components may be of any length. */
static void test_targets_end_at_4095_bytes(void **state)
{
	expect_limit(STREAM_C_SYMLINK, STREAM_A_PATH_LINK, "path_link", 4095, false);
}

/* What mkfs.btrfs --rootdir stored of the longest target. */
static void test_the_longest_target_with_its_nul(void **state)
{
	char target[4096];
	size_t pos = 0;

	memset(target, 't', 4095);
	target[4095] = '\0';
	put_symlink(target, sizeof(target));
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(d.command.path_link.len, 4095);
}

static void test_xattr_names_end_at_255_bytes(void **state)
{
	expect_limit(STREAM_C_SET_XATTR, STREAM_A_XATTR_NAME, "xattr_name", 255, false);
	expect_limit(STREAM_C_REMOVE_XATTR, STREAM_A_XATTR_NAME, "xattr_name", 255, false);
}

/* As long as their length can say. */
static void test_the_longest_xattr(void **state)
{
	size_t pos = 0;

	put_header(&b, 2);
	put_long(STREAM_C_SET_XATTR, STREAM_A_XATTR_DATA, 65535, false);
	assert_int_equal(next(&pos, b.len), STREAM_HEADER);
	assert_int_equal(next(&pos, b.len), STREAM_COMMAND);
	assert_int_equal(d.command.xattr_data.len, 65535);
}

static void test_verity_salts_and_signatures_end_with_their_descriptor(void **state)
{
	expect_limit(STREAM_C_ENABLE_VERITY, STREAM_A_VERITY_SALT_DATA, "verity_salt_data", 32, false);
	expect_limit(STREAM_C_ENABLE_VERITY, STREAM_A_VERITY_SIG_DATA, "verity_sig_data", 16128, false);
}

static void expect_component_limit(u16 cmd, u16 type, const char *name)
{
	char sentence[200];

	stream_decoder_release(&d);
	stream_decoder_init(&d);
	b.len = 0;
	put_header(&b, 1);
	put_long(cmd, type, 256, false);
	snprintf(sentence, sizeof(sentence),
		 "stream offset 17: command 1 (%s): attribute %s has a component of 256 bytes, longer than "
		 "255 bytes", stream_command_name(cmd), name);
	expect_failure(sentence);
}

static void test_components_of_paths_end_at_255_bytes(void **state)
{
	expect_component_limit(STREAM_C_UNLINK, STREAM_A_PATH, "path");
	expect_component_limit(STREAM_C_RENAME, STREAM_A_PATH_TO, "path_to");
	expect_component_limit(STREAM_C_LINK, STREAM_A_PATH_LINK, "path_link");
	expect_component_limit(STREAM_C_CLONE, STREAM_A_CLONE_PATH, "clone_path");
}

/* Errors behind which nothing can be read any more. */
static void expect_loss(const char *sentence)
{
	size_t pos = 0;
	int ret;

	while ((ret = next(&pos, b.len)) > 0)
		;
	assert_int_equal(ret, -EINVAL);
	assert_string_equal(error_message(), sentence);
	assert_true(d.lost);
}

static void test_no_stream(void **state)
{
	put(&b, "btrfs-steam\0\0\1\0\0\0", 17);
	expect_loss("stream offset 0: no send stream starts here");
}

static void test_garbage_behind_the_end(void **state)
{
	build_small();

	char sentence[100];

	snprintf(sentence, sizeof(sentence), "stream offset %zu: no send stream starts here", b.len);
	put(&b, "0123456789abcdef0", 17);
	expect_loss(sentence);
}

static void test_version_zero(void **state)
{
	put_header(&b, 0);
	expect_loss("stream offset 0: stream version 0 is not supported, only 1 to 3");
}

static void test_version_four(void **state)
{
	put_header(&b, 4);
	expect_loss("stream offset 0: stream version 4 is not supported, only 1 to 3");
}

/* A length beyond the bound is refused before a byte of the body was waited for. */
static void test_too_long(void **state)
{
	put_header(&b, 1);
	begin(&b, STREAM_C_WRITE);
	put_le32(b.bytes + b.command, 65527);
	expect_loss("stream offset 17: command 1 (write): 65527 bytes of attributes, more than the "
		    "65526 that version 1 may have");
}

static void test_too_long_version_2(void **state)
{
	put_header(&b, 2);
	begin(&b, STREAM_C_WRITE);
	put_le32(b.bytes + b.command, 0xffffffff);
	expect_loss("stream offset 17: command 1 (write): 4294967295 bytes of attributes, more than "
		    "the 4194294 that version 2 may have");
}

/* The longest that the kernel sends: 144 KiB. */
static void test_long_version_2(void **state)
{
	static u8 data[144 * 1024];
	size_t pos = 0;

	memset(data, 'd', sizeof(data));
	put_header(&b, 2);
	begin(&b, STREAM_C_WRITE);
	attr_text(&b, STREAM_A_PATH, "f");
	attr_u64(&b, STREAM_A_FILE_OFFSET, 0);
	attr_data_v2(&b, data, sizeof(data));
	end(&b);
	assert_int_equal(next(&pos, 65536), STREAM_HEADER);
	assert_int_equal(next(&pos, 65536), STREAM_COMMAND);
	assert_int_equal(d.command.data.len, sizeof(data));
	assert_memory_equal(d.command.data.data, data, sizeof(data));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands_come_out_whole),
		TEST(test_input_may_be_cut_anywhere),
		TEST(test_wants_never_reads_ahead),
		TEST(test_streams_follow_each_other),
		TEST(test_all_attributes_are_read),
		TEST(test_every_early_end_is_an_error),
		TEST(test_every_changed_byte_is_found),
		TEST(test_wrong_checksum),
		TEST(test_unknown_command),
		TEST(test_command_zero),
		TEST(test_command_of_a_later_version),
		TEST(test_unknown_attribute),
		TEST(test_attribute_of_a_later_version),
		TEST(test_attribute_beyond_the_command),
		TEST(test_attribute_cut_within_its_length),
		TEST(test_attribute_cut_within_its_type),
		TEST(test_missing_attribute),
		TEST(test_duplicate_attribute),
		TEST(test_wrong_size),
		TEST(test_nul_in_a_path),
		TEST(test_nul_behind_a_target),
		TEST(test_nul_in_a_target),
		TEST(test_subvolume_names_end_at_255_bytes),
		TEST(test_paths_end_at_4096_bytes),
		TEST(test_targets_end_at_4095_bytes),
		TEST(test_the_longest_target_with_its_nul),
		TEST(test_xattr_names_end_at_255_bytes),
		TEST(test_the_longest_xattr),
		TEST(test_verity_salts_and_signatures_end_with_their_descriptor),
		TEST(test_components_of_paths_end_at_255_bytes),
		TEST(test_no_stream),
		TEST(test_garbage_behind_the_end),
		TEST(test_version_zero),
		TEST(test_version_four),
		TEST(test_too_long),
		TEST(test_too_long_version_2),
		TEST(test_long_version_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
