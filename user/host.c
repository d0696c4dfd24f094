/* host.c: looks up what a live run needs of its host, without NSS. */
#include <grp.h>
#include <inttypes.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "begin.h"
#include "host.h"

uint64_t boot_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Wall minus boot time: of several tries the one with the least time between its two readings. */
static uint64_t wall_offset(void)
{
	uint64_t best = UINT64_MAX, offset = 0;

	for (int i = 0; i < 16; i++) {
		uint64_t before = boot_now(), after;
		struct timespec wall;

		clock_gettime(CLOCK_REALTIME, &wall);
		after = boot_now();
		if (after - before < best) {
			best = after - before;
			offset = wall.tv_sec * 1000000000ull + wall.tv_nsec - (before + after) / 2;
		}
	}
	return offset;
}

static void groups_find(struct account *a)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g;

	a->groups = xcalloc(1, sizeof(gid_t));
	a->groups[a->n_groups++] = a->gid;
	while (f && (g = fgetgrent(f)))
		for (char **m = g->gr_mem; *m; m++)
			if (!strcmp(*m, a->name) && g->gr_gid != a->gid) {
				a->groups = xrealloc(a->groups, (a->n_groups + 1) * sizeof(gid_t));
				a->groups[a->n_groups++] = g->gr_gid;
			}
	if (f)
		fclose(f);
}

static bool passwd_find(const char *name, uid_t uid, struct account *a)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;
	bool found = false;

	while (f && !found && (p = fgetpwent(f))) {
		if (name ? strcmp(p->pw_name, name) : p->pw_uid != uid)
			continue;
		found = true;
		a->uid = p->pw_uid;
		a->gid = p->pw_gid;
		a->name = xstrdup(p->pw_name);
		a->home = xstrdup(p->pw_dir);
	}
	if (f)
		fclose(f);
	return found;
}

bool account_named(uid_t uid, struct account *a)
{
	memset(a, 0, sizeof(*a));
	return passwd_find(NULL, uid, a);
}

bool user_number(const char *text, uint32_t *uid)
{
	struct account a = { 0 };
	char *end;

	*uid = strtoul(text, &end, 10);
	if (*text && !*end)
		return true;
	if (!passwd_find(text, 0, &a))
		return false;
	*uid = a.uid;
	free(a.name);
	free(a.home);
	return true;
}

bool group_named(const char *name, gid_t *gid)
{
	FILE *f = fopen("/etc/group", "re");
	bool found = false;
	struct group *g;

	while (f && !found && (g = fgetgrent(f)))
		if ((found = !strcmp(g->gr_name, name)))
			*gid = g->gr_gid;
	if (f)
		fclose(f);
	return found;
}

bool account_find(const char *user, struct account *a)
{
	const char *sudo = getenv("SUDO_UID");
	char *end;

	memset(a, 0, sizeof(*a));
	a->invoker = getuid();
	a->invoker_gid = getgid();
	if (sudo && !geteuid() && *sudo >= '0' && *sudo <= '9') {
		a->invoker = strtoul(sudo, NULL, 10);
		a->invoker_gid = strtoul(getenv("SUDO_GID") ? getenv("SUDO_GID") : sudo, NULL, 10);
	}
	if (user) {
		unsigned long uid = strtoul(user, &end, 10);

		if (!passwd_find(user, 0, a) && (*end || !passwd_find(NULL, uid, a))) {
			fprintf(stderr, "invigil: unknown user \"%s\"\n", user);
			return false;
		}
		a->change = true;
	} else if (sudo && !geteuid()) {
		unsigned long uid = strtoul(sudo, &end, 10);

		if (!*sudo || *end || !passwd_find(NULL, uid, a)) {
			fprintf(stderr, "invigil: SUDO_UID names no user: \"%s\" (use -u USER)\n",
				sudo);
			return false;
		}
		a->change = uid != 0;
	} else if (!passwd_find(NULL, getuid(), a)) {
		char name[16];

		snprintf(name, sizeof(name), "%u", getuid());
		a->uid = getuid();
		a->gid = getgid();
		a->name = xstrdup(name);
		a->home = xstrdup("/");
	}
	groups_find(a);
	return true;
}

/* What sudo's env_reset leaves or sets (sudoers(5)): when nothing else is there, COMMAND's own is gone. */
void environment_wipe(void)
{
	for (char **e = environ; e && *e; e++)
		explicit_bzero(*e, strlen(*e));
	clearenv();
}

bool environment_stripped(void)
{
	static const char kept[] =
		" COLORS DISPLAY HOME HOSTNAME KRB5CCNAME LANG LANGUAGE LINGUAS LOGNAME LS_COLORS"
		" MAIL PATH PS1 PS2 SHELL TERM TZ USER XAUTHORITY XAUTHORIZATION"
		" XDG_CURRENT_DESKTOP _ ";

	if (geteuid() || !getenv("SUDO_UID"))
		return false;
	for (char **e = environ; *e; e++) {
		char word[40];

		snprintf(word, sizeof(word), " %.*s ", (int)strcspn(*e, "="), *e);
		if (strncmp(*e, "SUDO_", 5) && strncmp(*e, "LC_", 3) &&
		    strncmp(*e, "INVIGIL_", 8) && !strstr(kept, word))
			return false;
	}
	return true;
}

static void file_line(const char *path, char *out, size_t n)
{
	FILE *f = fopen(path, "re");

	out[0] = 0;
	if (f && fgets(out, n, f))
		out[strcspn(out, "\n")] = 0;
	if (f)
		fclose(f);
}

/* RFC 9562, version 7: 48 bits of unix milliseconds, the rest random. */
static void uuid7(uint64_t unix_ns, char out[37])
{
	uint64_t ms = unix_ns / 1000000;
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	for (int i = 0; i < 6; i++)
		b[i] = ms >> (40 - 8 * i);
	b[6] = 0x70 | (b[6] & 0x0f);
	b[8] = 0x80 | (b[8] & 0x3f);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}

/* The host's own name with domain, from /etc/hosts alone: no resolver is asked. */
static void fqdn_find(const char *host, char *out, size_t n)
{
	FILE *f = fopen("/etc/hosts", "re");
	char line[512];
	size_t len = strlen(host);

	snprintf(out, n, "%s", host);
	while (f && fgets(line, sizeof(line), f)) {
		for (char *word = strtok(line, " \t\n"); word && *word != '#';
		     word = strtok(NULL, " \t\n"))
			if (!strncmp(word, host, len) && word[len] == '.') {
				snprintf(out, n, "%s", word);
				fclose(f);
				return;
			}
	}
	if (f)
		fclose(f);
}

static void add_number(struct buf *out, const char *key, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	begin_add(out, key, span_of(text));
}

static void add_host(struct buf *out)
{
	char text[256], fqdn[256];
	struct utsname u;

	uname(&u);
	fqdn_find(u.nodename, fqdn, sizeof(fqdn));
	begin_add(out, "host.name", span_of(u.nodename));
	begin_add(out, "host.fqdn", span_of(fqdn));
	begin_add(out, "domain", span_of(strchr(fqdn, '.') ? strchr(fqdn, '.') + 1 : ""));
	file_line("/etc/machine-id", text, sizeof(text));
	begin_add(out, "host.id", span_of(text[0] ? text : u.nodename));
	begin_add(out, "host.arch", span_of(u.machine));
	begin_add(out, "host.kernel", span_of(u.release));
	file_line("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	begin_add(out, "boot_id", span_of(text));
}

static void add_users(struct buf *out)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p;
	struct buf b = { 0 };

	while (f && (p = fgetpwent(f))) {
		const char *shell = strrchr(p->pw_shell, '/');
		bool login = (p->pw_uid == 0 || (p->pw_uid >= 1000 && p->pw_uid < 60000)) &&
			     shell && strcmp(shell, "/nologin") && strcmp(shell, "/false");

		buf_reset(&b);
		buf_fmt(&b, "%u:%s:%d", p->pw_uid, p->pw_name, login);
		begin_add(out, "user", (struct span){ b.ptr, b.len });
	}
	if (f)
		fclose(f);
	buf_free(&b);
}

void run_id_new(char id[37])
{
	uuid7(boot_now() + wall_offset(), id);
}

void begin_make(const struct config *c, const struct begin_who *who, struct buf *out)
{
	static const char *const prefixes[] = { "id=", "name=", "label=", "project=" };
	uint64_t offset = wall_offset();
	struct ev_begin body = { .abi = EV_ABI };
	char text[65];
	uint8_t seed[32];

	buf_add(out, &body, sizeof(body));
	begin_add(out, "run.id", span_of(who->id));
	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	for (int i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", seed[i]);
	begin_add(out, "seed", span_of(text));
	add_number(out, "wall_offset", offset);
	begin_add(out, "kind", span_of(who->kind));
	add_number(out, "uid", who->uid);
	add_number(out, "root_pid", who->root_pid);
	begin_add(out, "user.name", span_of(who->user));
	begin_add(out, "cwd", span_of(who->cwd));
	add_host(out);
	add_users(out);
	for (unsigned i = 0; i < c->n_own; i++) {
		struct buf b = { 0 };

		buf_fmt(&b, "%s%s%s%s", prefixes[c->own[i].kind], c->own[i].key,
			c->own[i].value ? "=" : "", c->own[i].value ? c->own[i].value : "");
		begin_add(out, "own", (struct span){ b.ptr, b.len });
		buf_free(&b);
	}
}
