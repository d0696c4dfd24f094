/* thread_memory.c: reads memory of a thread that waits, with few system calls. */
#include <string.h>
#include <sys/uio.h>
#include "thread_memory.h"

#define PAGE      4096ull
#define PAGES_MAX 16 /* of them in one system call */

size_t thread_bytes(pid_t tid, uint64_t addr, void *out, size_t n)
{
	size_t have = 0;

	while (have < n) {
		/* To the end of a page each time: the next one may not be there. */
		size_t want = 4096 - ((addr + have) & 4095);
		struct iovec to = { (char *)out + have, want > n - have ? n - have : want };
		struct iovec from = { (void *)(uintptr_t)(addr + have), to.iov_len };
		ssize_t got = process_vm_readv(tid, &to, 1, &from, 1, 0);

		if (got <= 0)
			break;
		have += got;
	}
	return have;
}

bool thread_text(pid_t tid, uint64_t addr, char *out, size_t room)
{
	size_t n = 0;
	char *end;

	while (n < room) {
		size_t want = PAGE - ((addr + n) & (PAGE - 1)), got;

		if (want > room - n)
			want = room - n;
		got = thread_bytes(tid, addr + n, out + n, want);
		end = memchr(out + n, 0, got);
		if (end) {
			/* What lies behind it may be anything. */
			explicit_bzero(end, out + n + got - end);
			return true;
		}
		if (got < want)
			return false;
		n += got;
	}
	return false;
}

/* Copies the n pages at page[]; zeroes for what cannot be read. */
static void pages_read(pid_t tid, const uint64_t *page, unsigned n, char (*out)[PAGE])
{
	struct iovec from[PAGES_MAX];
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++)
		from[i] = (struct iovec){ (void *)(uintptr_t)page[i], PAGE };
	while (done < n) {
		struct iovec to = { out[done], (size_t)(n - done) * PAGE };
		ssize_t got = process_vm_readv(tid, &to, 1, from + done, n - done, 0);

		/* It stops at the first that cannot be read. */
		done += got > 0 ? got / PAGE : 0;
		if (done < n)
			memset(out[done++], 0, PAGE);
	}
}

void thread_heads(pid_t tid, const uint64_t *at, unsigned n, uint64_t *head)
{
	static char room[PAGES_MAX][PAGE];
	uint64_t page[PAGES_MAX];

	for (unsigned i = 0; i < n;) {
		unsigned end = i, pages = 0;

		for (; end < n; end++) {
			uint64_t p = at[end] & ~(PAGE - 1);

			if (pages && page[pages - 1] == p)
				continue;
			if (pages == PAGES_MAX)
				break;
			page[pages++] = p;
		}
		pages_read(tid, page, pages, room);
		for (unsigned k = 0; i < end; i++) {
			uint64_t in = at[i] & (PAGE - 1);

			k += page[k] != (at[i] & ~(PAGE - 1));
			if (in <= PAGE - sizeof(*head))
				memcpy(&head[i], room[k] + in, sizeof(*head));
			else if (thread_bytes(tid, at[i], &head[i], sizeof(*head)) != sizeof(*head))
				head[i] = 0;
		}
		explicit_bzero(room, pages * PAGE); /* the values */
	}
}

/* How many pointers there are before the NULL; n when none of n is NULL. */
static unsigned pointers_count(const uint64_t *at, unsigned n)
{
	unsigned used = 0;

	while (used < n && at[used])
		used++;
	return used;
}

static size_t to_page_end(uint64_t addr, size_t most)
{
	size_t n = PAGE - (addr & (PAGE - 1));

	return n < most ? n : most;
}

bool thread_call(pid_t tid, uint64_t text, uint64_t array, char path[PATH_MAX], uint64_t *at,
		 unsigned *room)
{
	size_t size = *room * sizeof(*at);
	size_t text_room = to_page_end(text, PATH_MAX), at_room = to_page_end(array, size);
	struct iovec to[] = { { path, text_room }, { at, at_room } };
	struct iovec from[] = { { (void *)(uintptr_t)text, text_room },
				{ (void *)(uintptr_t)array, at_room } };
	ssize_t got = process_vm_readv(tid, to, 2, from, 2, 0);
	size_t in_text = got < 0 ? 0 : (size_t)got < text_room ? (size_t)got : text_room;
	unsigned have = got > 0 ? (got - in_text) / sizeof(*at) : 0, n = pointers_count(at, have);
	size_t len = strnlen(path, in_text);

	/* What lies behind the path is none of ours. */
	explicit_bzero(path + len, in_text - len);
	if (len == in_text && !thread_text(tid, text, path, PATH_MAX))
		return false;
	if (n == have) {
		have = thread_bytes(tid, array, at, size) / sizeof(*at);
		n = pointers_count(at, have);
	}
	explicit_bzero(at + n, size - n * sizeof(*at)); /* likewise */
	*room = n;
	return true;
}

void thread_texts(pid_t tid, const uint64_t *at, unsigned n, struct thread_texts *out)
{
	struct iovec to[TEXTS_MAX] = { { 0 } }, from[TEXTS_MAX] = { { 0 } };
	size_t got = 0;
	ssize_t have;

	for (unsigned i = 0; i < n; i++) {
		from[i] = (struct iovec){ (void *)(uintptr_t)at[i], to_page_end(at[i], TEXT_ROOM) };
		to[i] = (struct iovec){ out->room[i], from[i].iov_len };
	}
	have = process_vm_readv(tid, to, n, from, n, 0);
	for (unsigned i = 0; i < n; i++) {
		char *end;

		got += to[i].iov_len;
		end = have >= 0 && got <= (size_t)have ? memchr(out->room[i], 0, to[i].iov_len)
						       : NULL;
		out->text[i] = end ? out->room[i] : NULL;
	}
}
