/* skeleton.c: opens the BPF object that this kernel can load: the usual one, or the packed one made to fit. */
#include <stdlib.h>
#include <bpf/btf.h>
#include "event.h"
#include "gunzip.h"
#include "plain_object.h"
#include "probe.h"
#include "skeleton.h"

#define OBJECT_MAX (8u << 20)

static bool takes_memory(const struct btf *btf, const struct btf_type *function)
{
	const struct btf_type *proto = btf__type_by_id(btf, function->type);

	for (unsigned i = 0; i < btf_vlen(proto); i++)
		if (btf_is_ptr(btf__type_by_id(btf, btf_params(proto)[i].type)))
			return true;
	return false;
}

/* Where a global function may not take memory: a static one is verified with each caller. */
static void functions_static(struct btf *btf)
{
	for (uint32_t i = 1; i < btf__type_cnt(btf); i++) {
		struct btf_type *t = (struct btf_type *)btf__type_by_id(btf, i);

		if (btf_is_func(t) && takes_memory(btf, t))
			t->info = BTF_KIND_FUNC << 24 | BTF_FUNC_STATIC;
	}
}

struct invigil *skeleton_open(struct buf *plain)
{
	struct bpf_map *map = NULL;
	struct invigil *skel;

	if (feature_works(FEAT_LOOP))
		return invigil__open();
	skel = calloc(1, sizeof(*skel));
	if (!skel || !gunzip(plain_object(), OBJECT_MAX, plain) || invigil__create_skeleton(skel))
		goto fail;
	skel->skeleton->data = plain->ptr;
	skel->skeleton->data_sz = plain->len;
	if (bpf_object__open_skeleton(skel->skeleton, NULL))
		goto fail;
	functions_static(bpf_object__btf(skel->obj));
	/* Memory allocated by a probe is a kernel warning there (94dacdbd5d2d). */
	bpf_object__for_each_map(map, skel->obj) if (bpf_map__type(map) == BPF_MAP_TYPE_HASH)
		bpf_map__set_map_flags(map, 0);
	bpf_map__set_max_entries(skel->maps.env_states, 2048);
	/* Of programs that this object does not load. */
	bpf_map__set_autocreate(skel->maps.python_walks, false);
	bpf_map__set_autocreate(skel->maps.conns, false);
	return skel;
fail:
	invigil__destroy(skel);
	return NULL;
}
