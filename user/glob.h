/* glob.h: does a name fit a pattern of fnmatch(3)? For tables of patterns, of which few fit. */
#ifndef INVIGIL_GLOB_H
#define INVIGIL_GLOB_H

#include <fnmatch.h>
#include <stdbool.h>

/* What stands in front of the first wildcard rules most out: fnmatch for each was a fifth of the work. */
static inline bool glob_fits(const char *glob, const char *name)
{
	bool wild;

	for (;; glob++, name++) {
		wild = *glob == '*' || *glob == '?' || *glob == '[' || *glob == '\\';
		if (wild || *glob != *name || !*glob)
			break;
	}
	if (!wild)
		return *glob == *name;
	return (glob[0] == '*' && !glob[1]) || !fnmatch(glob, name, 0);
}

#endif
