/* config_part.h: what the files of container_config share. */
#ifndef INVIGIL_CONFIG_PART_H
#define INVIGIL_CONFIG_PART_H

#include "detect.h"

#define SUBJECT_MAX 128

bool config_is(struct span s, const char *word); /* case folded */
struct span config_clip(struct span s, size_t max);
/* None, or latest; a digest is none. */
bool config_mutable_tag(struct span image);
/* R6.9. A value that is shown nowhere; a name with one; "NAME=value", or a secret anywhere. where: words for a person */
void config_value(const struct fact *f, struct report *out, struct span text, const char *where);
void config_pair(const struct fact *f, struct report *out, struct span name, struct span value,
		 const char *where);
void config_secret(const struct fact *f, struct report *out, struct span text, const char *where);
/* R6.4, what is a foreign container's. */
void config_shares(const struct fact *f, struct report *out);
/* config_build.c: of an image build. */
void config_build(const struct fact *f, struct report *out);

#endif
