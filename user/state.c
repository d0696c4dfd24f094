/* state.c: writes and reads the files by which a daemon takes up the runs of the one before it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "message.h"
#include "state.h"

#define STATE_MAGIC 0x31766e49u /* "Inv1": changes with this struct */
#define BEGIN_MAX   (8u << 20)
#define TAIL_MAX    (1u << 20)

struct head {
	uint64_t sequence; /* first: it is written over */
	uint32_t magic;
	uint32_t begin_len;
	struct ev_ancestor root;
	struct ev_ancestor agent;
	uint64_t digest[2];
	uint64_t cgroup[2];
	uint32_t uid;
	uint32_t asked;
	char ci[32];
};

static int dir = -1;

static bool key_open(uint64_t key[2])
{
	int fd = openat(dir, "key", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && read(fd, key, 16) == 16;

	if (fd >= 0 && !ok)
		ok = getrandom(key, 16, 0) == 16 && pwrite(fd, key, 16, 0) == 16;
	if (fd >= 0)
		close(fd);
	return ok;
}

bool state_open(const char *socket, uint64_t key[2])
{
	const char *at = socket ? socket : CONTROL_SOCKET, *slash = strrchr(at, '/');
	struct buf path = { 0 };
	struct stat st;
	bool ok;

	buf_add(&path, slash ? at : ".", slash ? (size_t)(slash - at) : 1);
	buf_str(&path, "/state");
	if (mkdir(path.ptr, 0700) && errno != EEXIST)
		dir = -1;
	else
		dir = open(path.ptr, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	errno = EPERM; /* of what follows: it is somebody else's */
	ok = dir >= 0 && !fstat(dir, &st) && st.st_uid == geteuid() && !(st.st_mode & 077) &&
	     key_open(key);
	if (!ok)
		fprintf(stderr, "invigil: folder %s: %s\n", path.ptr, strerror(errno));
	buf_free(&path);
	return ok;
}

int state_save(const struct state *s)
{
	struct head h = { .sequence = s->sequence,
			  .magic = STATE_MAGIC,
			  .begin_len = s->begin.len,
			  .root = s->root,
			  .agent = s->identity.agent,
			  .uid = s->identity.uid,
			  .asked = s->asked };
	struct buf b = { 0 };
	int fd, err = 0;

	memcpy(h.digest, s->identity.digest, sizeof(h.digest));
	memcpy(h.cgroup, s->identity.cgroup, sizeof(h.cgroup));
	if (s->identity.ci)
		snprintf(h.ci, sizeof(h.ci), "%s", s->identity.ci->name);
	buf_add(&b, &h, sizeof(h));
	buf_add(&b, s->begin.ptr, s->begin.len);
	if (s->n_containers)
		buf_add(&b, s->containers, (size_t)s->n_containers * EV_CONTAINER_LEN);
	fd = openat(dir, "new", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, b.ptr, b.len) != (ssize_t)b.len || renameat(dir, "new", dir, s->id))
		err = -errno;
	buf_free(&b);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

void state_sequence(int fd, uint64_t sequence)
{
	if (pwrite(fd, &sequence, sizeof(sequence), 0) < 0)
		return; /* the stream itself is asked, too */
}

void state_root(int fd, struct ev_ancestor root)
{
	if (pwrite(fd, &root, sizeof(root), offsetof(struct head, root)) < 0)
		return; /* then its identity alone tells which it is */
}

void state_container(int fd, const char id[EV_CONTAINER_LEN])
{
	if (lseek(fd, 0, SEEK_END) < 0 || write(fd, id, EV_CONTAINER_LEN) < 0)
		return; /* the next daemon does not know what it executes */
}

void state_remove(const char *id)
{
	unlinkat(dir, id, 0);
}

static bool state_read(const char *id, struct state *s)
{
	int fd = openat(dir, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct head h;
	struct stat st;
	size_t rest;

	*s = (struct state){ 0 };
	if (fd < 0)
		return false;
	if (read(fd, &h, sizeof(h)) != sizeof(h) || h.magic != STATE_MAGIC || fstat(fd, &st) ||
	    h.begin_len > BEGIN_MAX || st.st_size < (off_t)(sizeof(h) + h.begin_len)) {
		close(fd);
		return false;
	}
	snprintf(s->id, sizeof(s->id), "%s", id);
	h.ci[sizeof(h.ci) - 1] = 0;
	s->sequence = h.sequence;
	s->asked = h.asked;
	s->root = h.root;
	s->identity.ci = ci_named(h.ci);
	s->identity.uid = h.uid;
	s->identity.agent = h.agent;
	memcpy(s->identity.digest, h.digest, sizeof(h.digest));
	memcpy(s->identity.cgroup, h.cgroup, sizeof(h.cgroup));
	rest = st.st_size - sizeof(h) - h.begin_len;
	s->begin.ptr = xcalloc(h.begin_len + 1, 1);
	s->begin.len = s->begin.cap = h.begin_len;
	s->n_containers = rest / EV_CONTAINER_LEN;
	s->containers = xcalloc(s->n_containers + 1, EV_CONTAINER_LEN);
	if (read(fd, s->begin.ptr, s->begin.len) != (ssize_t)s->begin.len ||
	    read(fd, s->containers, (size_t)s->n_containers * EV_CONTAINER_LEN) < 0) {
		state_free(s);
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

struct state *state_load(unsigned *n)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct state *all = NULL, one;
	struct dirent *e;

	*n = 0;
	while (d && (e = readdir(d))) {
		if (strlen(e->d_name) != sizeof(one.id) - 1)
			continue;
		if (!state_read(e->d_name, &one)) {
			fprintf(stderr,
				"invigil: run %s cannot be taken up: its state is not understood\n",
				e->d_name);
			state_remove(e->d_name);
			continue;
		}
		all = xrealloc(all, (*n + 1) * sizeof(*all));
		all[(*n)++] = one;
	}
	if (d)
		closedir(d);
	return all;
}

void state_free(struct state *s)
{
	buf_free(&s->begin);
	free(s->containers);
	*s = (struct state){ 0 };
}

uint64_t stream_last(const char *path, const char *run, bool *ended)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct buf key = { 0 };
	uint64_t last = 0;
	struct stat st;
	char *text, *at, *line = NULL;
	off_t from;
	ssize_t n;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return 0;
	}
	text = xcalloc(TAIL_MAX + 1, 1);
	from = st.st_size > (off_t)TAIL_MAX ? st.st_size - (off_t)TAIL_MAX : 0;
	n = pread(fd, text, TAIL_MAX, from);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	buf_fmt(&key, "\"id\":\"%s:", run);
	for (at = text; (at = strstr(at, key.ptr)); at += key.len) {
		uint64_t v = strtoull(at + key.len, NULL, 10);

		last = v > last ? v : last;
		line = at;
	}
	/* Its last line: alone of all it may say so. */
	if (line) {
		while (line > text && line[-1] != '\n')
			line--;
		at = strchr(line, '\n');
		if (at)
			*at = 0;
		*ended |= at && strstr(line, "\"action\":\"run-end\"");
	}
	buf_free(&key);
	free(text);
	return last;
}
