/* glob.h: does a name fit a pattern of fnmatch(3)? For tables of patterns, of which few fit. */
#ifndef INVIGIL_GLOB_H
#define INVIGIL_GLOB_H

#include <fnmatch.h>
#include <stdbool.h>

/* What stands in front of the first wildcard rules most out: fnmatch for each was a fifth of the work. */
static inline bool glob_fits(const char *glob, const char *name)
{
	for (; *glob && *glob != '*' && *glob != '?' && *glob != '[' && *glob != '\\'; glob++) {
		if (*glob != *name)
			return false;
		name++;
	}
	if (!*glob)
		return !*name;
	return (glob[0] == '*' && !glob[1]) || !fnmatch(glob, name, 0);
}

#endif
