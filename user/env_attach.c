/* env_attach.c: probes on getenv, secure_getenv and CPython's encoder, wherever an ELF file defines them. */
#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "buf.h"
#include "env_attach.h"
#include "event.h"
#include "probe.h"
#include "python.h"
#include "invigil.skel.h"

#define LINKS_MAX 256

struct env_attach {
	struct invigil *skel;
	bool python;
	void *seen; /* tsearch tree of struct file_id */
	struct bpf_link *links[LINKS_MAX];
	unsigned n_links;
	uint32_t n_builds;
};

struct file_id {
	dev_t dev;
	ino_t ino;
};

static int id_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct file_id));
}

struct env_attach *env_attach_new(struct invigil *skel, bool python)
{
	struct env_attach *a = xcalloc(1, sizeof(*a));

	elf_version(EV_CURRENT);
	a->skel = skel;
	a->python = python;
	return a;
}

void env_attach_free(struct env_attach *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->n_links; i++)
		bpf_link__destroy(a->links[i]);
	tdestroy(a->seen, free);
	free(a);
}

static bool symbol_find(Elf *elf, const char *name, GElf_Sym *out)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNSYM || !sh.sh_entsize ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
			const char *text;

			if (!gelf_getsym(data, i, out) || out->st_shndx == SHN_UNDEF ||
			    !out->st_value)
				continue;
			text = elf_strptr(elf, sh.sh_link, out->st_name);
			if (text && !strcmp(text, name))
				return true;
		}
	}
	return false;
}

/* File offset of a virtual address; -1 when no segment holds it. */
static long file_offset(Elf *elf, uint64_t address)
{
	GElf_Phdr ph;
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(elf, i, &ph) && ph.p_type == PT_LOAD && address >= ph.p_vaddr &&
		    address - ph.p_vaddr < ph.p_filesz)
			return address - ph.p_vaddr + ph.p_offset;
	return -1;
}

static int probe_attach(struct env_attach *a, struct bpf_program *prog, const char *path, Elf *elf,
			uint64_t address, uint64_t cookie)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = cookie);
	long offset = file_offset(elf, address);
	struct bpf_link *link;

	if (offset < 0 || a->n_links == LINKS_MAX)
		return 0;
	link = bpf_program__attach_uprobe_opts(prog, -1, path, offset, &opts);
	if (!link)
		return 0;
	a->links[a->n_links++] = link;
	return 1;
}

static const struct python_layout layouts[] = {
#define LAYOUT(...) { __VA_ARGS__ },
#include "python_layout.def"
#undef LAYOUT
};

/* For programs that have the interpreter's own data at a fixed distance from where they are. */
static uint64_t python_cookie(uint64_t build, uint64_t distance)
{
	return build << 56 | (distance & ~(0xffull << 56));
}

/* Minor version: Py_Version in the data of 3.11 and later, else the digits in the file's name. */
static uint32_t python_version(int fd, Elf *elf, const char *name)
{
	const char *digits = strstr(name, "python3.");
	GElf_Sym sym;
	uint32_t v;
	long at;

	if (symbol_find(elf, "Py_Version", &sym) && (at = file_offset(elf, sym.st_value)) >= 0 &&
	    pread(fd, &v, sizeof(v), at) == sizeof(v))
		return v >> 16;
	return digits ? 0x0300 | strtoul(digits + 8, NULL, 10) : 0;
}

/* A row for this file; PYTHON_BUILDS when there is no room for one. */
static uint32_t build_add(struct env_attach *a, int fd, const char *name, Elf *elf,
			  uint64_t runtime)
{
	struct python_build b = { .layout = PYTHON_LAYOUTS,
				  .version = python_version(fd, elf, name) };
	GElf_Sym code, str;

	if (a->n_builds == PYTHON_BUILDS)
		return PYTHON_BUILDS;
	for (uint32_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].version == b.version && symbol_find(elf, "PyCode_Type", &code) &&
		    symbol_find(elf, "PyUnicode_Type", &str)) {
			b.layout = i;
			b.code_type = code.st_value - runtime;
			b.str_type = str.st_value - runtime;
		}
	bpf_map_update_elem(bpf_map__fd(a->skel->maps.python_builds), &a->n_builds, &b, 0);
	return a->n_builds++;
}

/*
 * What starts an interpreter: the first that the file has. Each probe is a grace period of the
 * kernel's to attach; who embeds CPython and calls another one is known by its first encoding.
 */
static const char *const python_starts[] = { "Py_BytesMain", "Py_Main", "Py_InitializeFromConfig" };

static int python_attach(struct env_attach *a, int fd, const char *path, const char *name, Elf *elf)
{
	GElf_Sym runtime, sym;
	uint64_t build = PYTHON_BUILDS;
	int n = 0;

	if (!symbol_find(elf, "_PyRuntime", &runtime)) /* before 3.7: known to be unknown */
		runtime.st_value = 0;
	for (size_t i = 0; i < ARRAY_SIZE(python_starts) && build == PYTHON_BUILDS; i++) {
		if (!symbol_find(elf, python_starts[i], &sym))
			continue;
		build = build_add(a, fd, name, elf, runtime.st_value);
		if (build == PYTHON_BUILDS)
			return n;
		n += probe_attach(a, a->skel->progs.on_python_start, path, elf, sym.st_value,
				  python_cookie(build, runtime.st_value - sym.st_value));
	}
	if (build != PYTHON_BUILDS && a->python && runtime.st_value &&
	    symbol_find(elf, "PyUnicode_AsEncodedString", &sym))
		n += probe_attach(a, a->skel->progs.on_python_encode, path, elf, sym.st_value,
				  python_cookie(build, runtime.st_value - sym.st_value));
	return n;
}

static int elf_attach(struct env_attach *a, int fd, const char *path, const char *name, Elf *elf)
{
	static const struct {
		const char *symbol;
		unsigned mechanism;
	} strings[] = { { "getenv", ENV_GETENV }, { "secure_getenv", ENV_SECURE } };
	struct bpf_program *prog = feature_works(FEAT_UPROBE_SLEEPABLE) ? a->skel->progs.on_getenv_s
									: a->skel->progs.on_getenv;
	GElf_Sym sym;
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (symbol_find(elf, strings[i].symbol, &sym))
			n += probe_attach(a, prog, path, elf, sym.st_value, strings[i].mechanism);
	if (symbol_find(elf, "system", &sym))
		n += probe_attach(a, a->skel->progs.on_system, path, elf, sym.st_value, 0);
	return n + python_attach(a, fd, path, name, elf);
}

static const char *const library_dirs[] = { "/lib/x86_64-linux-gnu",
					    "/usr/lib/x86_64-linux-gnu",
					    "/lib/aarch64-linux-gnu",
					    "/usr/lib/aarch64-linux-gnu",
					    "/lib64",
					    "/usr/lib64",
					    "/usr/local/lib",
					    "/lib",
					    "/usr/lib" };

/* Libraries that a file needs: beside its RUNPATH ($ORIGIN resolved) and in the usual folders. */
static int needed_attach(struct env_attach *a, const char *real, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	GElf_Dyn dyn;
	const char *run = NULL;
	int n = 0;

	while ((scn = elf_nextscn(elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_DYNAMIC ||
		    !(data = elf_getdata(scn, NULL)))
			continue;
		for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++)
			if (dyn.d_tag == DT_RUNPATH || dyn.d_tag == DT_RPATH)
				run = elf_strptr(elf, sh.sh_link, dyn.d_un.d_val);
		for (int i = 0; gelf_getdyn(data, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
			const char *lib = dyn.d_tag == DT_NEEDED
						  ? elf_strptr(elf, sh.sh_link, dyn.d_un.d_val)
						  : NULL;
			const char *slash = strrchr(real, '/');
			char path[PATH_MAX];

			/* Only what can hold a probe: libc itself and libpython. */
			if (!lib || (strncmp(lib, "libc.so", 7) && strncmp(lib, "libpython", 9)))
				continue;
			if (run && !strncmp(run, "$ORIGIN", 7) && slash)
				snprintf(path, sizeof(path), "%.*s%.*s/%s", (int)(slash - real),
					 real, (int)strcspn(run + 7, ":"), run + 7, lib);
			else if (run)
				snprintf(path, sizeof(path), "%.*s/%s", (int)strcspn(run, ":"), run,
					 lib);
			if (run && !access(path, R_OK)) {
				n += env_attach_file(a, path);
				continue;
			}
			for (size_t d = 0; d < ARRAY_SIZE(library_dirs); d++) {
				snprintf(path, sizeof(path), "%s/%s", library_dirs[d], lib);
				if (!access(path, R_OK)) {
					n += env_attach_file(a, path);
					break;
				}
			}
		}
	}
	return n;
}

int env_attach_file(struct env_attach *a, const char *path)
{
	struct file_id key = { 0 }, *id;
	char fd_path[32], real[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), n = 0;
	const char *slash;
	struct stat st;
	ssize_t len;
	Elf *elf;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		goto out;
	key.dev = st.st_dev;
	key.ino = st.st_ino;
	if (tfind(&key, &a->seen, id_compare))
		goto out;
	id = xcalloc(1, sizeof(*id));
	*id = key;
	tsearch(id, &a->seen, id_compare);
	/* The descriptor keeps the inode, whatever happens to the name. */
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	len = readlink(fd_path, real, sizeof(real) - 1);
	if (len < 0)
		goto out;
	real[len] = 0;
	slash = strrchr(real, '/');
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF) {
		n = elf_attach(a, fd, fd_path, slash ? slash + 1 : real, elf);
		n += needed_attach(a, real, elf);
	}
	elf_end(elf);
out:
	close(fd);
	return n;
}

static void glob_attach(struct env_attach *a, const char *pattern)
{
	glob_t g;

	if (!glob(pattern, GLOB_NOSORT, NULL, &g))
		for (size_t i = 0; i < g.gl_pathc; i++)
			env_attach_file(a, g.gl_pathv[i]);
	globfree(&g);
}

void env_attach_prescan(struct env_attach *a, const char *path_variable)
{
	char pattern[PATH_MAX];

	for (size_t d = 0; d < ARRAY_SIZE(library_dirs); d++) {
		snprintf(pattern, sizeof(pattern), "%s/libc.so.6", library_dirs[d]);
		env_attach_file(a, pattern);
	}
	for (const char *p = path_variable ? path_variable : ""; *p;) {
		size_t n = strcspn(p, ":");

		snprintf(pattern, sizeof(pattern), "%.*s/python3*", (int)n, p);
		glob_attach(a, pattern);
		/* pyenv: PATH holds shims, the interpreters lie beside them */
		if (n > 6 && !strncmp(p + n - 6, "/shims", 6)) {
			snprintf(pattern, sizeof(pattern), "%.*s/versions/*/bin/python3*",
				 (int)n - 6, p);
			glob_attach(a, pattern);
		}
		p += n + (p[n] == ':');
	}
}
