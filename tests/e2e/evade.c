/* evade.c: SOCKET [WAY]: reaches an engine's socket, or hands it bytes, in every way that a monitor may overlook. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *engine, *way;
static char text[512], other[sizeof(((struct sockaddr_un *)0)->sun_path)];

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int fresh(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int connected(const char *path)
{
	struct sockaddr_un a = address(path);
	int s = fresh();

	if (s >= 0 && connect(s, (void *)&a, sizeof(a))) {
		close(s);
		return -1;
	}
	return s;
}

/* The request; its query names the way. */
static size_t request(void)
{
	return snprintf(text, sizeof(text), "GET /v1.41/_ping?way=%s HTTP/1.1\r\nHost: d\r\n\r\n",
			way);
}

/* A whole answer with a status of 200, read in one piece. */
static int answered(int s)
{
	char b[4096];
	ssize_t n = s < 0 ? -1 : read(s, b, sizeof(b));

	return n > 12 && !memcmp(b, "HTTP/1.1 200", 12) ? 0 : -1;
}

static int asked(int s)
{
	size_t n = request();

	return s < 0 || write(s, text, n) != (ssize_t)n ? -1 : answered(s);
}

/* ---- names ---- */

static const char *beside(const char *suffix)
{
	snprintf(other, sizeof(other), "%.90s.%.10s", engine, suffix);
	unlink(other);
	return other;
}

static int way_plain(void)
{
	return asked(connected(engine));
}

static int way_symlink(void)
{
	const char *p = beside("sym");

	return symlink(engine, p) ? -1 : asked(connected(p));
}

static int way_hardlink(void)
{
	const char *p = beside("hard");
	int r = link(engine, p) ? -1 : asked(connected(p));

	unlink(p);
	return r;
}

static int way_relative(void)
{
	char *slash, dir[108];

	snprintf(dir, sizeof(dir), "%s", engine);
	slash = strrchr(dir, '/');
	*slash = 0;
	return chdir(dir) ? -1 : asked(connected(slash + 1));
}

static int way_procfd(void)
{
	char p[64];

	snprintf(p, sizeof(p), "/proc/self/fd/%d", open(engine, O_PATH));
	return asked(connected(p));
}

static int way_bind(void)
{
	const char *p = beside("bind");

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    close(open(p, O_CREAT | O_WRONLY, 0600)) || mount(engine, p, NULL, MS_BIND, NULL))
		return -1;
	return asked(connected(p));
}

static int way_cold(void)
{
	const char *p = beside("addr");
	struct sockaddr_un a = address(engine), *m;
	int f = open(p, O_CREAT | O_RDWR | O_TRUNC, 0600), s = fresh();

	if (write(f, &a, sizeof(a)) != sizeof(a) || fsync(f))
		return -1;
	posix_fadvise(f, 0, 0, POSIX_FADV_DONTNEED);
	m = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, f, 0);
	return m == MAP_FAILED || connect(s, (void *)m, sizeof(*m)) ? -1 : asked(s);
}

static volatile int flipping;
static struct sockaddr_un flip;

static void *flipper(void *arg)
{
	(void)arg;
	while (flipping) {
		strcpy(flip.sun_path, "/nonexistent/innocent.sock");
		strcpy(flip.sun_path, engine);
		sched_yield();
	}
	return NULL;
}

static int way_flip(void)
{
	pthread_t t;
	int s = -1;

	flip = address(engine);
	flipping = 1;
	if (pthread_create(&t, NULL, flipper, NULL))
		return -1;
	for (int i = 0; i < 20000; i++) {
		s = fresh();
		if (!connect(s, (void *)&flip, sizeof(flip)))
			break;
		close(s);
		s = -1;
	}
	flipping = 0;
	pthread_join(t, NULL);
	return asked(s);
}

/* ---- descriptors ---- */

static int of_child(int (*fn)(int), int arg)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(fn(arg) ? 1 : 0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

static int way_inherit(void)
{
	return of_child(asked, connected(engine));
}

static int receive_and_ask(int from)
{
	char control[CMSG_SPACE(sizeof(int))], c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	int s;

	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return -1;
	memcpy(&s, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(s));
	return asked(s);
}

static int way_rights(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, c = 'x';
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int pair[2], status, s;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	pid = fork();
	if (!pid)
		_exit(receive_and_ask(pair[1]) ? 1 : 0);
	s = connected(engine);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &s, sizeof(s));
	if (sendmsg(pair[0], &m, 0) != 1)
		return -1;
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
}

static int way_pidfd(void)
{
	int s = connected(engine), pair[2], pidfd, got, r;
	pid_t pid;
	char c;

	if (pipe(pair))
		return -1;
	pid = fork();
	if (!pid) {
		if (write(pair[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	close(s);
	if (read(pair[0], &c, 1) != 1)
		return -1;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	got = syscall(SYS_pidfd_getfd, pidfd, s, 0);
	r = asked(got);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return r;
}

/* ---- bytes ---- */

static int request_file(size_t n)
{
	const char *p = beside("bytes");
	int f = open(p, O_CREAT | O_RDWR | O_TRUNC, 0600);

	return f < 0 || write(f, text, n) != (ssize_t)n || lseek(f, 0, SEEK_SET) ? -1 : f;
}

static int way_sendfile(void)
{
	size_t n = request();
	int s = connected(engine), f = request_file(n);

	return sendfile(s, f, NULL, n) != (ssize_t)n ? -1 : answered(s);
}

static int way_splice(void)
{
	size_t n = request();
	int s = connected(engine), p[2];

	if (pipe(p) || write(p[1], text, n) != (ssize_t)n ||
	    splice(p[0], NULL, s, NULL, n, 0) != (ssize_t)n)
		return -1;
	return answered(s);
}

/* Its answer is taken by splice. */
static int way_taken(void)
{
	size_t n = request();
	int s = connected(engine), p[2];

	if (s < 0 || pipe(p) || write(s, text, n) != (ssize_t)n ||
	    splice(s, NULL, p[1], NULL, 4096, 0) <= 0)
		return -1;
	return answered(p[0]);
}

static int way_sendmmsg(void)
{
	size_t n = request();
	struct iovec v[2] = { { text, 20 }, { text + 20, n - 20 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };
	int s = connected(engine);

	return sendmmsg(s, m, 2, 0) != 2 ? -1 : answered(s);
}

/* A request written in the usual way, then one that is not: the order must hold. */
static int way_mixed(void)
{
	size_t n = request();
	int s = connected(engine), f = request_file(n);

	if (asked(s) || sendfile(s, f, NULL, n) != (ssize_t)n || answered(s))
		return -1;
	return asked(s);
}

#ifdef __x86_64__
static long call32(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static int way_int80(void)
{
	struct low {
		struct sockaddr_un a;
		char text[512], answer[4096];
	} *low = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	size_t n = request();
	int s = fresh();

	low->a = address(engine);
	memcpy(low->text, text, n);
	if (call32(362, s, (long)&low->a, sizeof(low->a)) ||
	    call32(4, s, (long)low->text, n) != (long)n ||
	    call32(3, s, (long)low->answer, sizeof(low->answer)) < 12)
		return -1;
	return memcmp(low->answer, "HTTP/1.1 200", 12);
}
#endif

/* ---- io_uring without a library ---- */

struct ring {
	int fd;
	unsigned *sq_tail, *sq_array, *sq_flags, *cq_head, *cq_tail;
	unsigned sq_mask, cq_mask, flags;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static int ring_open(struct ring *r, unsigned flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 1000 };
	char *sq, *cq;

	r->fd = syscall(SYS_io_uring_setup, 8, &p);
	if (r->fd < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED,
		  r->fd, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes), PROT_READ | PROT_WRITE,
		  MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		       r->fd, IORING_OFF_SQES);
	r->sq_tail = (void *)(sq + p.sq_off.tail);
	r->sq_array = (void *)(sq + p.sq_off.array);
	r->sq_flags = (void *)(sq + p.sq_off.flags);
	r->sq_mask = *(unsigned *)(sq + p.sq_off.ring_mask);
	r->cq_head = (void *)(cq + p.cq_off.head);
	r->cq_tail = (void *)(cq + p.cq_off.tail);
	r->cq_mask = *(unsigned *)(cq + p.cq_off.ring_mask);
	r->cqes = (void *)(cq + p.cq_off.cqes);
	r->flags = flags;
	return 0;
}

static int ring_do(struct ring *r, int op, int fd, const void *addr, unsigned len,
		   unsigned long off)
{
	unsigned tail = *r->sq_tail, head = *r->cq_head;
	struct io_uring_sqe *q = &r->sqes[tail & r->sq_mask];

	memset(q, 0, sizeof(*q));
	q->opcode = op;
	q->fd = fd;
	q->addr = (unsigned long)addr;
	q->len = len;
	q->off = off;
	r->sq_array[tail & r->sq_mask] = tail & r->sq_mask;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (!(r->flags & IORING_SETUP_SQPOLL))
		syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	else if (__atomic_load_n(r->sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP)
		syscall(SYS_io_uring_enter, r->fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
	while (__atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) == head)
		sched_yield();
	fd = r->cqes[head & r->cq_mask].res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return fd;
}

static int by_ring(unsigned flags)
{
	static struct sockaddr_un a;
	static char answer[4096];
	size_t n = request();
	struct ring r;
	int s = fresh();

	a = address(engine);
	if (ring_open(&r, flags)) {
		fprintf(stderr, "%s: %s\n", way, strerror(errno));
		exit(77);
	}
	if (ring_do(&r, IORING_OP_CONNECT, s, &a, 0, sizeof(a)) ||
	    ring_do(&r, IORING_OP_SEND, s, text, n, 0) != (int)n ||
	    ring_do(&r, IORING_OP_RECV, s, answer, sizeof(answer), 0) < 12)
		return -1;
	return memcmp(answer, "HTTP/1.1 200", 12);
}

static int way_uring(void)
{
	return by_ring(0);
}

static int way_sqpoll(void)
{
	return by_ring(IORING_SETUP_SQPOLL);
}

static const struct {
	const char *name;
	int (*fn)(void);
} ways[] = {
	{ "plain", way_plain },       { "symlink", way_symlink }, { "hardlink", way_hardlink },
	{ "relative", way_relative }, { "procfd", way_procfd },   { "bind", way_bind },
	{ "cold", way_cold },         { "flip", way_flip },       { "inherit", way_inherit },
	{ "rights", way_rights },     { "pidfd", way_pidfd },     { "sendfile", way_sendfile },
	{ "splice", way_splice },     { "taken", way_taken },     { "sendmmsg", way_sendmmsg },
	{ "mixed", way_mixed },
#ifdef __x86_64__
	{ "int80", way_int80 },
#endif
	{ "uring", way_uring },       { "sqpoll", way_sqpoll },
};

/* 0 done, 77 this kernel refuses it. Without WAY: the names. */
int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		way = ways[i].name;
		if (argc < 3) {
			puts(way);
		} else if (!strcmp(way, argv[2])) {
			engine = argv[1];
			if (!ways[i].fn())
				return 0;
			fprintf(stderr, "%s: %s\n", way, strerror(errno));
			return 1;
		}
	}
	return argc < 3 ? 0 : 2;
}
