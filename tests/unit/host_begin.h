/* host_begin.h: the first record of a run on an invented host, for tests and fuzzers. */
#ifndef INVIGIL_TEST_HOST_BEGIN_H
#define INVIGIL_TEST_HOST_BEGIN_H

#include <string.h>
#include "begin.h"
#include "event.h"

#define TEST_ROOT_PID 100

/* Writes the record into out (4 KiB are enough) and returns its size. */
static inline size_t host_begin(char *out)
{
	static const char *const pairs[][2] = {
		{ "run.id", "01920000-0000-7000-8000-000000000001" },
		{ "seed", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" },
		{ "wall_offset", "1700000000000000000" },
		{ "uid", "1000" },
		{ "root_pid", "100" },
		{ "user.name", "builder" },
		{ "cwd", "/src" },
		{ "host.name", "runner7" },
		{ "host.fqdn", "runner7.example.corp" },
		{ "domain", "example.corp" },
		{ "host.id", "hostid" },
		{ "host.arch", "x86_64" },
		{ "host.kernel", "6.1.0" },
		{ "boot_id", "0f0e0d0c-0000-4000-8000-000000000000" },
		{ "user", "1000:builder:1" },
		{ "arg", "pytest" },
	};
	struct ev_hdr h = { .time = 1, .type = EV_BEGIN, .run = 1 };
	struct ev_begin body = { .abi = EV_ABI };
	struct buf tail = { 0 };
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		begin_add(&tail, pairs[i][0], span_of(pairs[i][1]));
	h.len = h.want = tail.len;
	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), &body, sizeof(body));
	memcpy(out + sizeof(h) + sizeof(body), tail.ptr, tail.len);
	n = sizeof(h) + sizeof(body) + tail.len;
	buf_free(&tail);
	return n;
}

#endif
