/* env_runtime.c: one row a runtime: how its file is recognised, which symbol reads, where the name is. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "code_find.h"
#include "env_runtime.h"
#include "event.h"
#include "go_table.h"

/* unseen: the reason that is told once in a run. */
static const struct runtime {
	const char *file;   /* glob of the base name; NULL: any */
	const char *mark;   /* a symbol that must be there as well; NULL: none */
	const char *symbol; /* NULL: the row only says that reads are not seen */
	enum env_program program;
	uint64_t cookie;
	const char *unseen;
} runtimes[] = {
	{ NULL, NULL, "getenv", PROGRAM_STRING, ENV_GETENV, NULL },
	{ NULL, NULL, "secure_getenv", PROGRAM_STRING, ENV_SECURE, NULL },
	/* bash: every look at a variable; the pipeline keeps those that came by exec */
	{ NULL, "find_variable_tempenv", "find_variable", PROGRAM_STRING, ENV_SHELL, NULL },
	/* what System.getenv() copies from, once */
	{ "libjava.so", NULL, "Java_java_lang_ProcessEnvironment_environ", PROGRAM_COPY, ENV_COPY,
	  NULL },
	{ NULL, NULL, "system", PROGRAM_SYSTEM, 0, NULL },
	{ "libc[.-]*", NULL, "setenv", PROGRAM_TEST, 0, NULL },
	{ "libc[.-]*", NULL, "putenv", PROGRAM_TEST, 1, NULL },
	{ "libc[.-]*", NULL, "unsetenv", PROGRAM_TEST, 2, NULL },
	{ "java", NULL, NULL, 0, 0, "no probe sees what Java reads by name" },
	{ NULL, "Perl_sv_setsv_flags", NULL, 0, 0, "no probe sees what Perl reads" },
	{ NULL, "PyString_FromString", NULL, 0, 0, "no probe sees what Python 2 reads" },
	{ "pypy*", NULL, NULL, 0, 0, "no probe sees what PyPy reads" },
};

static const struct {
	const char *symbol;
	enum env_program program;
	uint64_t cookie;
} go_functions[] = {
	{ "syscall.Getenv", PROGRAM_GO, ENV_GO },
	{ "syscall.Environ", PROGRAM_COPY, ENV_COPY },
};

/* Functions that no symbol names, by instructions in their middle. */
static const struct {
	const char *file;
	uint16_t machine;
	const char *code;
	enum env_program program;
	uint64_t cookie;
	const char *unseen; /* when they are not there */
} unnamed[] = {
	/* As Debian 11 to 13 and Ubuntu 22.04 and 24.04 have it; lookupvar: testb $VUNSET,flags; jne; mov text,%rdi; mov $'=',%esi; call strchrnul; add $1,%rax */
	{ "dash", EM_X86_64, "f6400820 75.. 488b7810 be3d000000 e8........ 4883c001",
	  PROGRAM_STRING, ENV_SHELL, "no probe sees what this dash reads" },
};

static const struct python_layout layouts[] = {
#define LAYOUT(...) { __VA_ARGS__ },
#include "python_layout.def"
#undef LAYOUT
};

/* What starts an interpreter, by version of CPython and by who embeds it, comes first. */
static const char *const python_symbols[] = {
	"Py_BytesMain",
	"_Py_UnixMain",
	"Py_Main",
	"Py_InitializeFromConfig",
	"_PyRuntime",
	"PyCode_Type",
	"PyUnicode_Type",
	"PyUnicode_AsEncodedString",
	"Py_Version",
	"_PyThreadState_Current",
	"_Py_MergeZeroLocalRefcount",
};
enum {
	PYTHON_STARTS = 4,
	PYTHON_RUNTIME = 4,
	PYTHON_CODE_TYPE,
	PYTHON_STR_TYPE,
	PYTHON_ENCODE,
	PYTHON_VERSION,
	PYTHON_THREAD, /* before 3.7 there is no _PyRuntime, and what we need of it is this */
	PYTHON_FREE,   /* only builds without the GIL have it */
	PYTHON_SYMBOLS
};

static bool python_is_probed(unsigned symbol)
{
	return symbol < PYTHON_STARTS || symbol == PYTHON_ENCODE;
}

struct look {
	/* Of the names that are looked for: most of a hundred thousand symbols need no more. */
	bool first[256];
	uint64_t lengths;
	uint64_t symbol[ARRAY_SIZE(runtimes)];
	bool mark[ARRAY_SIZE(runtimes)];
	uint64_t python[PYTHON_SYMBOLS];
};

/* A probe in data would change what the program reads there. */
static bool on_symbol(void *ctx, struct span name, uint64_t address, bool function)
{
	struct look *l = ctx;

	if (!name.len || name.len > 63 || !(l->lengths >> name.len & 1) ||
	    !l->first[(unsigned char)*name.ptr])
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(runtimes); i++) {
		if (function && runtimes[i].symbol && span_eq(name, runtimes[i].symbol))
			l->symbol[i] = address;
		if (runtimes[i].mark && span_eq(name, runtimes[i].mark))
			l->mark[i] = true;
	}
	for (unsigned i = 0; i < PYTHON_SYMBOLS; i++)
		if ((function || !python_is_probed(i)) && span_eq(name, python_symbols[i]))
			l->python[i] = address;
	return true;
}

static void look_for(struct look *l, const char *name)
{
	if (!name)
		return;
	l->first[(unsigned char)*name] = true;
	l->lengths |= 1ull << (strlen(name) & 63);
}

static void look_begin(struct look *l)
{
	for (unsigned i = 0; i < ARRAY_SIZE(runtimes); i++) {
		look_for(l, runtimes[i].symbol);
		look_for(l, runtimes[i].mark);
	}
	for (unsigned i = 0; i < PYTHON_SYMBOLS; i++)
		look_for(l, python_symbols[i]);
}

static void probe_add(struct env_image *out, uint64_t address, enum env_program program,
		      uint64_t cookie)
{
	/* Two names of one function are one probe. */
	for (unsigned i = 0; i < out->probes; i++)
		if (out->probe[i].address == address && out->probe[i].program == program)
			return;
	if (out->probes < ENV_PROBES_MAX)
		out->probe[out->probes++] = (struct env_probe){ address, cookie, program };
}

static void table_apply(const struct look *l, const char *name, bool c_only, struct env_image *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(runtimes); i++) {
		const struct runtime *r = &runtimes[i];

		if ((c_only && r->program <= PROGRAM_COPY && r->cookie > ENV_SECURE) ||
		    (r->file && fnmatch(r->file, name, 0)) || (r->mark && !l->mark[i]))
			continue;
		if (l->symbol[i])
			probe_add(out, l->symbol[i], r->program, r->cookie);
		else if (!r->symbol)
			out->unseen = r->unseen;
	}
}

static void unnamed_apply(const struct elf_file *e, const char *name, struct env_image *out)
{
	uint64_t address;

	for (size_t i = 0; i < ARRAY_SIZE(unnamed); i++) {
		if (fnmatch(unnamed[i].file, name, 0))
			continue;
		if (e->head.e_machine == unnamed[i].machine &&
		    code_find(e, unnamed[i].code, &address))
			probe_add(out, address, unnamed[i].program, unnamed[i].cookie);
		else
			out->unseen = unnamed[i].unseen;
	}
}

/* Minor version: Py_Version in the data of 3.11 and later, else the digits in the file's name. */
static uint32_t python_version(const struct elf_file *e, uint64_t address, const char *name)
{
	const char *digits = strstr(name, "python3.");
	uint64_t at;
	uint32_t v;

	if (address && elf_offset(e, address, &at) && elf_bytes(e, at, &v, sizeof(v)))
		return v >> 16;
	return digits ? 0x0300 | strtoul(digits + 8, NULL, 10) : 0;
}

static void python_apply(const struct elf_file *e, const uint64_t symbol[PYTHON_SYMBOLS],
			 const char *name, bool c_only, struct env_image *out)
{
	uint64_t runtime = symbol[PYTHON_RUNTIME];

	if (!runtime)
		runtime = symbol[PYTHON_THREAD];
	/* The first that the file has: whoever calls another one is known by its first encoding. */
	for (unsigned i = 0; i < PYTHON_STARTS && !out->is_python; i++)
		if (symbol[i]) {
			out->is_python = true;
			probe_add(out, symbol[i], PROGRAM_PYTHON_START, runtime - symbol[i]);
		}
	if (!out->is_python)
		return;
	out->python.layout = PYTHON_LAYOUTS;
	out->python.version = python_version(e, symbol[PYTHON_VERSION], name);
	if (symbol[PYTHON_FREE])
		out->python.version |= PYTHON_NO_GIL;
	for (uint32_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].version == out->python.version && runtime &&
		    symbol[PYTHON_CODE_TYPE] && symbol[PYTHON_STR_TYPE]) {
			out->python.layout = i;
			out->python.code_type = symbol[PYTHON_CODE_TYPE] - runtime;
			out->python.str_type = symbol[PYTHON_STR_TYPE] - runtime;
		}
	if (out->python.layout == PYTHON_LAYOUTS)
		out->unseen = out->unseen ? out->unseen : "this version of CPython is not known";
	else if (symbol[PYTHON_ENCODE] && !c_only)
		probe_add(out, symbol[PYTHON_ENCODE], PROGRAM_PYTHON_ENCODE,
			  runtime - symbol[PYTHON_ENCODE]);
}

static void go_apply(const struct elf_file *e, struct env_image *out)
{
	struct go_table t;
	uint64_t address;

	if (!elf_section(e, ".go.buildinfo").len)
		return;
	out->unseen = "this version of Go is not known";
	if (!go_open(&t, e))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(go_functions); i++)
		if (go_function(&t, go_functions[i].symbol, &address)) {
			probe_add(out, address, go_functions[i].program, go_functions[i].cookie);
			out->unseen = NULL;
		}
}

static void needed_add(struct env_image *out, struct span text)
{
	if (text.len && out->n_needed < ENV_NEEDED_MAX)
		out->needed[out->n_needed++] = xstrndup(text.ptr, text.len);
}

/* Only what can hold a probe: the C library, libpython, and what a launcher loads by itself. */
static void needed_read(const struct elf_file *e, const char *name, struct env_image *out)
{
	struct span interpreter = elf_interpreter(e), lib, path;

	for (unsigned i = 0; i < 256 && (lib = elf_dynamic_text(e, DT_NEEDED, i)).len; i++)
		if (span_starts(lib, "libc.so.") || span_starts(lib, "libpython"))
			needed_add(out, lib);
	if (span_find(interpreter, SPAN("/ld-musl-")) >= 0)
		needed_add(out, interpreter);
	if (!strcmp(name, "java"))
		needed_add(out, SPAN("../lib/libjava.so"));
	path = elf_dynamic_text(e, DT_RUNPATH, 0);
	if (!path.len)
		path = elf_dynamic_text(e, DT_RPATH, 0);
	if (path.len)
		out->run_path = xstrndup(path.ptr, path.len);
}

void env_image_read(const struct elf_file *e, const char *name, bool c_only, struct env_image *out)
{
	bool alone = elf_is_static(e);
	struct look l = { 0 };

	memset(out, 0, sizeof(*out));
	out->build = -1;
	look_begin(&l);
	elf_symbols(e, alone, on_symbol, &l);
	table_apply(&l, name, c_only, out);
	python_apply(e, l.python, name, c_only, out);
	if (!c_only) {
		unnamed_apply(e, name, out);
		go_apply(e, out);
	}
	needed_read(e, name, out);
	if (alone && !out->probes && !out->unseen)
		out->unseen = "a static program has no symbols";
}

void env_image_free(struct env_image *image)
{
	for (unsigned i = 0; i < image->n_needed; i++)
		free(image->needed[i]);
	free(image->run_path);
	memset(image, 0, sizeof(*image));
}
