/* privilege_bits.c: R3.9, files that the run gives set-id bits or capabilities. */
#include <fnmatch.h>
#include <sys/stat.h>
#include "detect.h"

/* They unpack what the distribution's packages hold. */
static const char *const installers[] = { "dpkg", "dpkg-*", "rpm", "apk", "pacman" };

#define SET_ID (uint32_t)(S_ISUID | S_ISGID)

static void look(const struct fact *f, struct report *out)
{
	struct span path = span_of(f->file.path.text);
	uint32_t set = f->file.mode & SET_ID;

	for (size_t i = 0; f->process && f->process->name && i < ARRAY_SIZE(installers); i++)
		if (!fnmatch(installers[i], f->process->name, 0))
			return;
	if (f->file.action == FILE_SETCAP) {
		finding(out, "R3.9", path, "%.*s is given capabilities", SPANF(path));
		return;
	}
	if (f->file.before && !f->file.created)
		set &= ~f->file.old_mode;
	if (set && (f->file.action == FILE_CHMOD || f->file.created))
		finding(out, "R3.9", path, "%.*s is given set-%s-id (mode %04o, owner %u:%u)",
			SPANF(path), set & S_ISUID ? "user" : "group", f->file.mode & 07777,
			f->file.uid, f->file.gid);
}

const struct detector detect_privilege_bits = { RISK_COMMAND_EXECUTION, FACT_FILE, look };
