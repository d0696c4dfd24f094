/* env_name.c: the lists of well-known environment variables. */
#include <string.h>
#include "env_name.h"
#include "event.h"
#include "glob.h"

static const char *const everybody[] = {
	"TERMINFO",      "TERMINFO_DIRS", "TERMCAP",    "COLORTERM",      "TMPDIR",
	"TEMP",          "TMP",           "USER",       "USERNAME",       "LOGNAME",
	"TZDIR",         "EDITOR",        "VISUAL",     "PAGER",          "DISPLAY",
	"NO_COLOR",      "FORCE_COLOR",   "CLICOLOR",   "CLICOLOR_FORCE", "LS_COLORS",
	"GREP_COLOR*",   "TIME_STYLE",    "BLOCK_SIZE", "*_BLOCK_SIZE",   "BLOCKSIZE",
	"QUOTING_STYLE", "TABSIZE",       "XDG_*",
};

static const char *const shell[] = {
	"PATH",     "HOME",    "TERM",      "SHELL",    "SHLVL",
	"PWD",      "OLDPWD",  "COLUMNS",   "LINES",    "HOSTNAME",
	"HOSTTYPE", "OSTYPE",  "MAIL",      "MAILPATH", "MAILCHECK",
	"IFS",      "OPTIND",  "OPTERR",    "PS[0-4]",  "PROMPT_COMMAND",
	"HIST*",    "INPUTRC", "IGNOREEOF", "ENV",      "POSIX*",
	"_",
};

/* C libraries, interpreters, run times, test frameworks. */
static const char *const startup[] = {
	"LANG",
	"LANGUAGE",
	"LC_*",
	"TZ",
	"LD_*",
	"GCONV_PATH",
	"GETCONF_DIR",
	"LOCPATH",
	"NLSPATH",
	"MALLOC_*",
	"GLIBC_TUNABLES",
	"HOSTALIASES",
	"LOCALDOMAIN",
	"RES_OPTIONS",
	"RESOLV_*",
	"NIS_PATH",
	"MSGVERB",
	"SEV_LEVEL",
	"OUTPUT_CHARSET",
	"CHARSET",
	"TEXTDOMAIN*",
	"GETTEXT*",
	"ARGP_HELP_FMT",
	"DATEMSK",
	"LIBC_FATAL_STDERR_",
	"MUSL_LOCPATH",
	"SOURCE_DATE_EPOCH",
	"GMON_OUT_PREFIX",
	"PYTHON*",
	"__PYVENV_LAUNCHER__",
	"SETUPTOOLS_*",
	"BASH",
	"BASH_*",
	"BASHOPTS",
	"SHELLOPTS",
	"CHILD_MAX",
	"EMACS",
	"INSIDE_EMACS",
	"GODEBUG",
	"GOGC",
	"GOMAXPROCS",
	"GOMEMLIMIT",
	"GOTRACEBACK",
	"NODE_*",
	"UV_*",
	"PERL*",
	"RUBY*",
	"LUA_*",
	"JAVA_*",
	"JDK_*",
	"PYTEST_*",
	"PY_COLORS",
	"COVERAGE_*",
	"COV_CORE_*",
	"OPENSSL_CONF",
	"OPENSSL_MODULES",
	"OPENSSL_ENGINES",
	"OPENSSL_ia32cap",
	"OPENSSL_FIPS",
	"CTLOG_FILE",
	"OMP_*",
	"GOMP_*",
	"KMP_*",
	"OPENBLAS_*",
	"MKL_*",
	"MAKE*",
	"MFLAGS",
	"GEM_*",
	"DEBIAN_*RUBY*",
	"USE_ZEND_*",
	"ZEND_*",
	"PHPRC",
	"PHP_INI_SCAN_DIR",
	"XML_MEM_*",
	"SSLEAY_CONF",
	"ICU_TIMEZONE_FILES_DIR",
	"SIMDUTF_FORCE_IMPLEMENTATION",
	"WATCH_REPORT_DEPENDENCIES",
	"POSIXLY_CORRECT",
	"POSIX_PEDANTIC",
	"HARNESS_OSSL_PREFIX",
	"OPENSSL_TEST_LIBCTX",
	"GNUTLS_*",
	"NETTLE_*",
	"P11_KIT_*",
	"GRPC_*",
	"DEBUG_HTTP2_GOROUTINES",
};

/* OpenSSL, GnuTLS, libcurl, Go's net/http and crypto/x509, Ruby's net/http, Node. */
static const char *const libraries[] = {
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
	"HTTP_PROXY",    "HTTPS_PROXY",  "ALL_PROXY",      "NO_PROXY",
	"http_proxy",    "https_proxy",  "all_proxy",      "no_proxy",
};

static bool in_list(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (glob_fits(list[i], name))
			return true;
	return false;
}

enum env_name_class env_name_class(struct span name)
{
	char text[EV_VAR_MAX + 1];

	if (!name.len || name.len >= sizeof(text))
		return ENV_NAME_OTHER;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	if (in_list(startup, ARRAY_SIZE(startup), text))
		return ENV_NAME_START;
	if (in_list(shell, ARRAY_SIZE(shell), text))
		return ENV_NAME_SHELL;
	return in_list(everybody, ARRAY_SIZE(everybody), text) ? ENV_NAME_KNOWN : ENV_NAME_OTHER;
}

bool env_read_is_startup(struct span name, unsigned mechanism)
{
	enum env_name_class class;

	/* What a script reads through os.environ is its own doing, but for pytest's own business. */
	if (mechanism == ENV_PYTHON)
		return span_eq(name, "PYTEST_CURRENT_TEST");
	class = env_name_class(name);
	return class == ENV_NAME_START || (mechanism == ENV_SHELL && class == ENV_NAME_SHELL);
}

bool env_read_is_librarys(struct span name, unsigned mechanism)
{
	for (size_t i = 0; mechanism != ENV_PYTHON && i < ARRAY_SIZE(libraries); i++)
		if (span_eq(name, libraries[i]))
			return mechanism != ENV_SHELL;
	return false;
}
