/* env_attach.c: puts the probes that the table of runtimes names onto files, once each, and finds their libraries. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "env_attach.h"
#include "env_runtime.h"
#include "exec_file.h"
#include "uprobe.h"
#include "invigil.skel.h"

#define LINKS_MAX  1024
#define IMAGES_MAX 4096  /* what is known by build id */
#define HEAD_MAX   65536 /* headers and notes stand at the beginning */
#define FILE_MAX   (512u << 20)
#define DEPTH_MAX  4 /* interpreters of scripts, libraries of libraries */

struct env_attach {
	struct invigil *skel;
	bool c_only;
	void *files;  /* tsearch tree of struct file */
	void *images; /* tsearch tree of struct known */
	unsigned n_images;
	struct bpf_program *program[ENV_PROGRAMS];
	unsigned n_links;
	uint32_t n_builds;
	const char *trouble[16]; /* not told yet */
	unsigned n_trouble;
	bool full_told;
	const char *unseen[16]; /* runtimes that were told */
	char head[HEAD_MAX];
};

/* A file that was looked at. While a link holds its inode, the number cannot be anybody else's. */
struct file {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed; /* ctime: whoever writes to a file can set the other one */
	struct uprobe link[ENV_PROBES_MAX];
	unsigned links;
};

/* What files with this build id and size hold. */
struct known {
	char id[64];
	size_t len;
	off_t size;
	struct env_image image;
};

static int file_compare(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static int known_compare(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->id, y->id, x->len);
}

struct env_attach *env_attach_new(struct invigil *skel, bool c_only)
{
	struct env_attach *a = xcalloc(1, sizeof(*a));
	struct rlimit files;

	a->skel = skel;
	a->c_only = c_only;
	a->program[PROGRAM_STRING] = skel->progs.on_getenv;
	a->program[PROGRAM_GO] = skel->progs.on_go_getenv;
	a->program[PROGRAM_COPY] = skel->progs.on_env_copy;
	a->program[PROGRAM_PYTHON_ENCODE] = skel->progs.on_python_encode;
	a->program[PROGRAM_PYTHON_START] = skel->progs.on_python_start;
	a->program[PROGRAM_SYSTEM] = skel->progs.on_system;
	a->program[PROGRAM_TEST] = skel->progs.on_test_variable;
	/* A probe is a descriptor or two; this is our own limit, not COMMAND's. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return a;
}

static void links_drop(struct env_attach *a, struct file *f)
{
	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	a->n_links -= f->links;
	f->links = 0;
}

static void file_free(void *node)
{
	struct file *f = node;

	for (unsigned i = 0; i < f->links; i++)
		uprobe_detach(&f->link[i]);
	free(f);
}

static void known_free(void *node)
{
	env_image_free(&((struct known *)node)->image);
	free(node);
}

void env_attach_free(struct env_attach *a)
{
	if (!a)
		return;
	tdestroy(a->files, file_free);
	tdestroy(a->images, known_free);
	free(a);
}

static void trouble_add(struct env_attach *a, const char *why)
{
	if (a->n_trouble < ARRAY_SIZE(a->trouble))
		a->trouble[a->n_trouble++] = why;
}

const char *env_attach_trouble(struct env_attach *a)
{
	return a->n_trouble ? a->trouble[--a->n_trouble] : NULL;
}

/* False: there is no room for another file with an interpreter in it. */
static bool build_add(struct env_attach *a, struct env_image *image)
{
	if (image->build >= 0)
		return true;
	if (a->n_builds == PYTHON_BUILDS) {
		trouble_add(a, "so many builds of CPython that no more are known");
		return false;
	}
	bpf_map_update_elem(bpf_map__fd(a->skel->maps.python_builds), &a->n_builds, &image->python,
			    0);
	image->build = a->n_builds++;
	return true;
}

static bool is_python(const struct env_probe *p)
{
	return p->program == PROGRAM_PYTHON_ENCODE || p->program == PROGRAM_PYTHON_START;
}

static void probe_attach(struct env_attach *a, struct file *f, int fd, const struct env_probe *p,
			 int build, const struct elf_file *e)
{
	uint64_t offset, cookie = p->cookie;
	char path[32];
	int err;

	if (!elf_offset(e, p->address, &offset))
		return;
	if (a->n_links == LINKS_MAX) {
		if (!a->full_told)
			trouble_add(a, "so many probes that no more are attached");
		a->full_told = true;
		return;
	}
	if (is_python(p))
		cookie = (uint64_t)build << 56 | (p->cookie & ~(0xffull << 56));
	/* The descriptor keeps the inode, whatever happens to the name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = uprobe_attach(&f->link[f->links], a->program[p->program], path, offset, cookie);
	if (err) {
		trouble_add(a, strerror(-err));
		return;
	}
	f->links++;
	a->n_links++;
}

/* Never by mmap: whoever shortens a mapped file would end this process. */
static char *file_read(int fd, size_t n)
{
	char *bytes = malloc(n);
	size_t have = 0;

	while (bytes && have < n) {
		ssize_t got = pread(fd, bytes + have, n - have, have);

		if (got <= 0 && !(got < 0 && errno == EINTR))
			break;
		have += got > 0 ? got : 0;
	}
	if (have == n)
		return bytes;
	free(bytes);
	return NULL;
}

/*
 * A build id is a claim. Believed of a file that the run can make, it would put a probe into the
 * middle of an instruction of another one, a set-user-id program say, or hide its functions. What a
 * file system of a user (FUSE) says about owners is a claim too.
 */
static bool id_believed(int fd, const struct stat *st)
{
	struct statfs fs;

	return !st->st_uid && !(st->st_mode & (S_IWGRP | S_IWOTH)) && !fstatfs(fd, &fs) &&
	       fs.f_type != FUSE_SUPER_MAGIC;
}

/*
 * What the file holds: known by its build id, or read now; the caller frees *own. NULL: it could
 * not be read.
 */
static struct env_image *image_of(struct env_attach *a, int fd, const struct stat *st,
				  const struct elf_file *head, const char *name,
				  struct env_image *own)
{
	struct span id = id_believed(fd, st) ? elf_build_id(head) : (struct span){ 0 };
	struct known key = { .len = id.len, .size = st->st_size }, **found, *k;
	struct elf_file whole;
	char *bytes;

	if (id.len && id.len <= sizeof(key.id)) {
		memcpy(key.id, id.ptr, id.len);
		found = tfind(&key, &a->images, known_compare);
		if (found)
			return &(*found)->image;
	}
	bytes = st->st_size <= FILE_MAX ? file_read(fd, st->st_size) : NULL;
	if (!bytes || !elf_open(&whole, (struct span){ bytes, st->st_size })) {
		free(bytes);
		trouble_add(a, "a program could not be read");
		return NULL;
	}
	env_image_read(&whole, name, a->c_only, own);
	free(bytes);
	if (!id.len || id.len > sizeof(key.id) || a->n_images == IMAGES_MAX)
		return own;
	k = xcalloc(1, sizeof(*k));
	*k = key;
	k->image = *own;
	memset(own, 0, sizeof(*own));
	tsearch(k, &a->images, known_compare);
	a->n_images++;
	return &k->image;
}

/* path is as we open it, the root of the process in front; root is for what the file needs. */
static int path_attach(struct env_attach *a, const char *root, const char *path, unsigned depth);

static const char *const library_dirs[] = { "/lib/x86_64-linux-gnu",
					    "/usr/lib/x86_64-linux-gnu",
					    "/lib/aarch64-linux-gnu",
					    "/usr/lib/aarch64-linux-gnu",
					    "/lib64",
					    "/usr/lib64",
					    "/usr/local/lib",
					    "/lib",
					    "/usr/lib" };

/* False: too long for a path. */
static bool path_make(char out[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	return n < PATH_MAX;
}

/* dir: of the file that needs it, inside root. */
static int library_attach(struct env_attach *a, const char *root, const char *dir,
			  const struct env_image *image, const char *lib, unsigned depth)
{
	char path[PATH_MAX];

	if (*lib == '/' || *lib == '.')
		return path_make(path, "%s%s%s%s", root, *lib == '/' ? "" : dir,
				 *lib == '/' ? "" : "/", lib)
			       ? path_attach(a, root, path, depth)
			       : 0;
	for (const char *p = image->run_path; p && *p;) {
		int n = strcspn(p, ":");
		bool origin = !strncmp(p, "$ORIGIN", 7);

		if (path_make(path, "%s%s%.*s/%s", root, origin ? dir : "", origin ? n - 7 : n,
			      origin ? p + 7 : p, lib) &&
		    !access(path, R_OK))
			return path_attach(a, root, path, depth);
		p += n + (p[n] == ':');
	}
	for (size_t d = 0; d < ARRAY_SIZE(library_dirs); d++)
		if (path_make(path, "%s%s/%s", root, library_dirs[d], lib) && !access(path, R_OK))
			return path_attach(a, root, path, depth);
	return 0;
}

/* Once for each runtime: its texts are constants. */
static void unseen_tell(struct env_attach *a, const char *runtime)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->unseen); i++) {
		if (a->unseen[i] == runtime)
			return;
		if (!a->unseen[i]) {
			a->unseen[i] = runtime;
			trouble_add(a, runtime);
			return;
		}
	}
}

static int elf_attach(struct env_attach *a, struct file *f, int fd, const struct stat *st,
		      const char *root, char *real, const struct elf_file *head, unsigned depth)
{
	char *slash = strrchr(real, '/');
	struct env_image own = { 0 };
	struct env_image *image = image_of(a, fd, st, head, slash ? slash + 1 : real, &own);
	int n = 0;

	if (!image)
		return 0;
	if (image->unseen)
		unseen_tell(a, image->unseen);
	for (unsigned i = 0; i < image->probes; i++)
		if (!is_python(&image->probe[i]) || build_add(a, image))
			probe_attach(a, f, fd, &image->probe[i], image->build, head);
	n = f->links;
	if (slash)
		*slash = 0;
	for (unsigned i = 0; i < image->n_needed; i++)
		n += library_attach(a, root, slash ? real : "", image, image->needed[i], depth + 1);
	env_image_free(&own);
	return n;
}

/* A script's probes are those of its interpreter. */
static int script_attach(struct env_attach *a, const char *root, const char *head, unsigned depth)
{
	const char *at = head + 2 + strspn(head + 2, " \t");
	char path[PATH_MAX];

	return *at == '/' && path_make(path, "%s%.*s", root, (int)strcspn(at, " \t\n"), at)
		       ? path_attach(a, root, path, depth + 1)
		       : 0;
}

static struct file *file_of(struct env_attach *a, const struct stat *st, bool *fresh)
{
	struct file key = { .dev = st->st_dev, .ino = st->st_ino }, **found, *f;

	found = tfind(&key, &a->files, file_compare);
	*fresh = !found || (*found)->size != st->st_size ||
		 (*found)->changed.tv_sec != st->st_ctim.tv_sec ||
		 (*found)->changed.tv_nsec != st->st_ctim.tv_nsec;
	if (found) {
		f = *found;
		/* Written over: a probe in the middle of new code would harm it. */
		if (*fresh)
			links_drop(a, f);
	} else {
		f = xcalloc(1, sizeof(*f));
		*f = key;
		tsearch(f, &a->files, file_compare);
	}
	f->size = st->st_size;
	f->changed = st->st_ctim;
	return f;
}

static int path_attach(struct env_attach *a, const char *root, const char *path, unsigned depth)
{
	char link[32], real[PATH_MAX];
	struct elf_file head;
	struct stat st;
	struct file *f;
	ssize_t len, got;
	bool fresh;
	int fd, n = 0;

	if (depth > DEPTH_MAX)
		return 0;
	fd = regular_open(open(path, O_PATH | O_CLOEXEC));
	if (fd < 0)
		return 0;
	if (fstat(fd, &st))
		goto out;
	f = file_of(a, &st, &fresh);
	if (!fresh)
		goto out;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, real, sizeof(real) - 1);
	got = pread(fd, a->head, sizeof(a->head) - 1, 0);
	if (len < 0 || got < 0)
		goto out;
	real[len] = 0;
	a->head[got] = 0;
	if (elf_open(&head, (struct span){ a->head, got })) {
		/* Libraries are read into the same buffer: what is needed of it comes first. */
		n = elf_attach(a, f, fd, &st, root, real, &head, depth);
	} else if (!strncmp(a->head, "#!", 2)) {
		n = script_attach(a, root, a->head, depth);
	}
out:
	close(fd);
	return n;
}

int env_attach_file(struct env_attach *a, const char *path)
{
	char root[64] = "";
	unsigned pid;
	int n = 0;

	/* A process may have another root than ours: its libraries lie there. */
	if (sscanf(path, "/proc/%u/%n", &pid, &n) == 1 && n)
		snprintf(root, sizeof(root), "/proc/%u/root", pid);
	if (*root && access(root, X_OK))
		*root = 0;
	return path_attach(a, root, path, 0);
}

/*
 * An attach waits for the kernel's readers, on a busy machine longer than an exec is held for: what
 * nearly every run uses is done before it starts, and no more.
 */
void env_attach_prescan(struct env_attach *a, const char *path_variable)
{
	static const char *const programs[] = { "python3", "bash" };
	char path[PATH_MAX];

	for (size_t d = 0; d < ARRAY_SIZE(library_dirs); d++)
		if (path_make(path, "%s/libc.so.6", library_dirs[d]))
			env_attach_file(a, path);
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		for (const char *p = path_variable ? path_variable : ""; *p;) {
			size_t n = strcspn(p, ":");

			if (path_make(path, "%.*s/%s", (int)n, p, programs[i]))
				env_attach_file(a, path);
			p += n + (p[n] == ':');
		}
}
